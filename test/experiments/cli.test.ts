import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, jest, test } from "@jest/globals";
import { main } from "../../experiments/cli.ts";

afterEach(() => {
  process.exitCode = undefined;
});

/** What a command line says on standard error. */
async function refusal(...argv: readonly string[]): Promise<string> {
  const write = jest.spyOn(process.stderr, "write").mockReturnValue(true);
  await main(argv);
  const said = write.mock.calls.map(([text]) => text as string).join("");
  write.mockRestore();
  return said;
}

test("an option that takes one value is refused when it is given twice", async () => {
  expect(await refusal("distill", "dm-mnist", "--name", "x", "--name", "y")).toBe(
    "--name: expected one value, got x and y\n",
  );
  expect(process.exitCode).toBe(1);
  expect(await refusal("export", "none", "--formats", "npz", "--formats", "png")).toBe(
    "--formats: expected one value, got npz and png\n",
  );
});

test("a report of what is no folder says so, and makes none", async () => {
  const missing = join(mkdtempSync(join(tmpdir(), "distillery-cli-")), "resluts");
  expect(await refusal("report", missing)).toBe(`${missing}: expected a results folder, found nothing\n`);
  expect(existsSync(missing)).toBe(false);
  expect(await refusal("report", "package.json")).toBe(
    "package.json: expected a results folder, found a file\n",
  );
});

test("of what a sweep can be asked for, one thing at a time", async () => {
  expect(await refusal("sweep", "configs/sweeps/procedural-lt.yaml", "--plan", "--status")).toBe(
    "sweep: expected one of --plan and --status, got 2\n",
  );
});
