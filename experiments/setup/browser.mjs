// @ts-check
/**
 * Runs the tests of the pages in a real Chromium, of $CHROMIUM or of this system:
 *
 *     node experiments/setup/browser.mjs [PATH ...]      (default: all of test/browser)
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const jest = join(dirname(createRequire(import.meta.url).resolve("jest/package.json")), "bin", "jest.js");

/** Where systems put it. */
const places = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/snap/bin/chromium",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

const { CHROMIUM } = process.env;
const chromium = CHROMIUM || places.find((place) => existsSync(place));
if (chromium === undefined || !existsSync(chromium)) {
  const found = CHROMIUM ? `nothing at $CHROMIUM, ${CHROMIUM}` : `none of ${places.join(", ")}`;
  console.error(
    `test:browser: expected Chromium, found ${found}; ` +
      "apt-get install chromium as root, or set CHROMIUM to the path of one",
  );
  process.exit(1);
}

const { status } = spawnSync(
  process.execPath,
  [
    "--experimental-vm-modules",
    "--disable-warning=ExperimentalWarning",
    jest,
    "--config",
    join(root, "test", "browser", "jest.config.mjs"),
    // One browser at a time: what is timed and looked at should not wait for another.
    "--runInBand",
    ...process.argv.slice(2),
  ],
  { cwd: root, env: { ...process.env, CHROMIUM: chromium }, stdio: "inherit" },
);
process.exit(status ?? 1);
