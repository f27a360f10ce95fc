import { mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { writeWhole } from "../../experiments/files.ts";

test("what is written replaces what was there, and what cannot be written leaves nothing behind", () => {
  const folder = mkdtempSync(join(tmpdir(), "distillery-files-"));
  const file = join(folder, "new", "file");
  writeWhole(file, "first");
  writeWhole(file, "second");
  expect(readFileSync(file, "utf8")).toBe("second");
  const taken = join(folder, "taken");
  mkdirSync(join(taken, "by a folder"), { recursive: true });
  expect(() => {
    writeWhole(taken, "third");
  }).toThrow(/EISDIR|ENOTEMPTY/);
  expect(readdirSync(folder).sort()).toEqual(["new", "taken"]);
  expect(readdirSync(join(folder, "new"))).toEqual(["file"]);
});
