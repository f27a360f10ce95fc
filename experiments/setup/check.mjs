// @ts-check
/**
 * Runs the checks of `npm test` with one line per stage, all of them even where one fails:
 *
 *     node experiments/setup/check.mjs [types] [lint] [format] [tests]      (default: all)
 *
 * Types, lint and format run side by side and print only what they found; the tests print as they go.
 */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const require = createRequire(import.meta.url);

/** Path of a package's command, so that neither npx nor a shell starts in between. */
function command(/** @type {string} */ packageName, /** @type {string} */ file) {
  return join(dirname(require.resolve(`${packageName}/package.json`)), file);
}

/** @type {Record<string, { does: string, run: string[], streams?: boolean }>} */
const stages = {
  types: { does: "tsc", run: [command("typescript", "bin/tsc"), "-p", "."] },
  lint: { does: "eslint", run: [command("eslint", "bin/eslint.js"), "--max-warnings=0", "."] },
  format: {
    does: "prettier",
    run: [command("prettier", "bin/prettier.cjs"), "--check", "--log-level=warn", "."],
  },
  tests: {
    does: "jest",
    // Jest runs ES modules through Node's vm modules, which Node still calls experimental.
    run: [
      "--experimental-vm-modules",
      "--disable-warning=ExperimentalWarning",
      command("jest", "bin/jest.js"),
    ],
    streams: true,
  },
};

/** Runs one stage and prints its line; resolves to whether it passed. */
async function passes(/** @type {string} */ name) {
  const { does, run, streams = false } = stages[name];
  const start = performance.now();
  const child = spawn(process.execPath, run, { cwd: root, stdio: ["ignore", ...channels(streams)] });
  let output = "";
  child.stdout?.on("data", (chunk) => (output += chunk));
  child.stderr?.on("data", (chunk) => (output += chunk));
  const code = await new Promise((resolve) => child.on("close", resolve));
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (code !== 0 && output !== "") console.log(output.trimEnd());
  console.log(`${name.padEnd(7)} ${code === 0 ? "ok    " : "FAILED"} ${seconds.padStart(6)} s  (${does})`);
  return code === 0;
}

/** @returns {["inherit" | "pipe", "inherit" | "pipe"]} */
function channels(/** @type {boolean} */ streams) {
  return streams ? ["inherit", "inherit"] : ["pipe", "pipe"];
}

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !(name in stages));
if (unknown !== undefined) {
  console.error(
    `check: expected stages among ${Object.keys(stages).join(", ")}, got ${JSON.stringify(unknown)}`,
  );
  process.exit(1);
}
const chosen = asked.length > 0 ? asked : Object.keys(stages);
const passed = await Promise.all(chosen.filter((name) => !stages[name].streams).map(passes));
for (const name of chosen.filter((name) => stages[name].streams)) passed.push(await passes(name));
process.exit(passed.every(Boolean) ? 0 : 1);
