// @ts-check
/**
 * Makes dist/, what the npm package runs: Node strips no types inside node_modules. It mirrors the repository, with
 * compiled modules in the place of TypeScript, so that every relative path holds in both.
 *
 *     node experiments/setup/dist.mjs
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";

const root = join(import.meta.dirname, "..", "..");
const target = join(root, "dist");
const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");

/** What the package needs beside compiled modules, and what of it stays behind. */
const copied = ["native", "configs", "experiments", "results/published.csv"];
const left = [
  /\.ts$/, // compiled
  /^native\/build$/, // of this machine
  /^experiments\/setup\/(?!node\.mjs$|load\.mjs$)/, // for work on the repository
  /(^|\/)__pycache__$/,
  /\.partial$/,
];

/** Hash of the commit that the package is made from, with "+" where files differ from it. */
function commit() {
  const git = (/** @type {string[]} */ ...given) =>
    execFileSync("git", given, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  try {
    const changed = git("status", "--porcelain", "--untracked-files=no", "--", ...copied, "src", "kernels");
    return git("rev-parse", "--short=10", "HEAD") + (changed === "" ? "" : "+");
  } catch {
    return "unknown";
  }
}

function compile(/** @type {string} */ folder) {
  try {
    const given = ["-p", "tsconfig.dist.json", "--outDir", folder];
    execFileSync(process.execPath, [tsc, ...given], { cwd: root, encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    console.error(`dist: tsc failed:\n${/** @type {{ stdout: string }} */ (error).stdout}`);
    process.exit(1);
  }
}

/** Declarations are for those who import the library; tsc leaves their imports as they are in the sources. */
function finishDeclarations(/** @type {string} */ folder) {
  for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const file = join(folder, path);
    if (!file.endsWith(".d.ts")) continue;
    if (path.startsWith("experiments")) rmSync(file);
    else writeFileSync(file, readFileSync(file, "utf8").replace(/(["'])(\.[^"']*)\.ts\1/g, "$1$2.js$1"));
  }
}

const fresh = `${target}.${process.pid}.partial`;
rmSync(fresh, { recursive: true, force: true });
compile(fresh);
finishDeclarations(fresh);
for (const path of copied) {
  cpSync(join(root, path), join(fresh, path), {
    recursive: true,
    filter: (file) => !left.some((pattern) => pattern.test(relative(root, file).replaceAll("\\", "/"))),
  });
}
const { name, version, license } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const about = { name, version, license, private: true, type: "module", commit: commit() };
mkdirSync(fresh, { recursive: true });
writeFileSync(join(fresh, "package.json"), `${JSON.stringify(about, null, 2)}\n`);
rmSync(target, { recursive: true, force: true });
renameSync(fresh, target);
