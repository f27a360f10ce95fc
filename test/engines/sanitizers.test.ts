import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";
import { addonFile } from "../../native/build.mjs";
import { torchEngine } from "../../src/engines/torch/index.ts";

const sanitized = process.env["DISTILLERY_NATIVE"] === "sanitize";
torchEngine().close(); // compiles the addon where that has not been done

test("the addon is instrumented exactly in the build that is meant to be", () => {
  const code = readFileSync(addonFile());
  for (const symbol of ["__asan_report_load4", "__ubsan_handle_add_overflow", "readAt"]) {
    expect(code.includes(symbol)).toBe(sanitized);
  }
});

/** What is written to standard error by a process that makes this call on the addon, which must end it. */
const reportOf = (call: string): Promise<string> =>
  promisify(execFile)(process.execPath, ["-e", `require(${JSON.stringify(addonFile())}).${call}`]).then(
    () => `${call} went unnoticed`,
    (error: unknown) => (error as { stderr: string }).stderr,
  );

(sanitized ? test : test.skip).each([
  ["readAt(7)", "readAt(7) went unnoticed"],
  ["readAt(8)", "AddressSanitizer: heap-buffer-overflow"],
  ["successor(2 ** 31 - 1)", "signed integer overflow: 2147483647 + 1 cannot be represented in type 'int'"],
])("a mistake in native code ends the process: %s", async (call, report) => {
  expect(await reportOf(call)).toContain(report);
});
