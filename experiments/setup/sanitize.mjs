// @ts-check
/**
 * Runs tests on an addon compiled with AddressSanitizer and UndefinedBehaviorSanitizer, in which a memory error or
 * undefined behaviour ends the process with a report:
 *
 *     node experiments/setup/sanitize.mjs [PATH ...]      (default: the tests that reach native code)
 */
import { execFileSync, spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const jest = join(dirname(createRequire(import.meta.url).resolve("jest/package.json")), "bin", "jest.js");
const tests = ["test/engines", "test/contract", "test/losses", "test/networks", "test/training"];

/** Path of a library of the compiler's. */
function runtime(/** @type {string} */ name) {
  const file = execFileSync("g++", [`-print-file-name=${name}`], { encoding: "utf8" }).trim();
  if (!isAbsolute(file))
    throw new Error(`sanitize: g++ has no ${name}; install the compiler's sanitizer libraries`);
  return file;
}

/** Runs Node with these arguments; if that fails, so does this script. */
function node(/** @type {string[]} */ given, /** @type {Record<string, string>} */ more) {
  const env = { ...process.env, DISTILLERY_NATIVE: "sanitize", ...more };
  const { status } = spawnSync(process.execPath, given, { cwd: root, env, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

const asked = process.argv.slice(2);
node([join(root, "native", "build.mjs")], {});
node(
  [
    "--experimental-vm-modules",
    "--disable-warning=ExperimentalWarning",
    jest,
    // One process, so that its end is the end of the run.
    "--runInBand",
    "--testTimeout=60000", // milliseconds; the code is several times slower
    ...(asked.length > 0 ? asked : tests),
  ],
  {
    // Node itself is not instrumented, so the libraries must be there before the addon asks for them.
    LD_PRELOAD: [runtime("libasan.so"), runtime("libubsan.so")].join(" "),
    // Leaks are not looked for: Node and libtorch keep memory until the process ends, and would fill the report.
    // Allocations that are too large fail as they do without sanitizers.
    ASAN_OPTIONS: "detect_leaks=0:allocator_may_return_null=1",
    UBSAN_OPTIONS: "print_stacktrace=1",
  },
);
