import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { findTorch } from "../../native/build.mjs";

const before = process.env["LIBTORCH"];
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "libtorch-"));
  process.env["LIBTORCH"] = root;
});

afterEach(() => {
  rmSync(root, { recursive: true });
  if (before === undefined) delete process.env["LIBTORCH"];
  else process.env["LIBTORCH"] = before;
});

/** Where headers name the version, in older releases and in newer ones. */
const places = ["torch/csrc/api/include/torch", "torch/headeronly"] as const;

/** The header that names the version, 2.13.1. */
function writeHeader(place: string): void {
  const folder = join(root, "include", place);
  mkdirSync(folder, { recursive: true });
  const lines = [
    ["MAJOR", 2],
    ["MINOR", 13],
    ["PATCH", 1],
  ].map(([part, number]) => `#define TORCH_VERSION_${part} ${number}\n`);
  writeFileSync(join(folder, "version.h"), lines.join("\n"));
}

test.each(places)("LIBTORCH names the library, and its headers the version, in %s", (place) => {
  writeHeader(place);
  mkdirSync(join(root, "lib"));
  writeFileSync(join(root, "lib/libtorch_cpu.so"), "");
  expect(findTorch()).toEqual({
    torch: {
      source: "$LIBTORCH",
      version: "2.13.1",
      includes: [join(root, "include"), join(root, "include/torch/csrc/api/include")],
      libraries: [join(root, "lib")],
    },
  });
});

test("a LIBTORCH that lacks something is said, not passed over for another library", () => {
  expect(findTorch().reason).toContain(`no libtorch found ($LIBTORCH: no headers in ${root}/include)`);
  writeHeader(places[1]);
  expect(findTorch().reason).toContain(`($LIBTORCH: no libtorch_cpu.so in ${root}/lib)`);
});
