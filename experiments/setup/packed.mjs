// @ts-check
/** What must hold of the files of the npm package, looked at without running them. */
import { strict as assert } from "node:assert";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { builtinModules } from "node:module";
import { homedir, tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";

/** Bytes of the unpacked package. */
const LARGEST = 9e6;
/** Bytes of one file: nothing to look at, no measurements. */
const LARGEST_FILE = 1e6;

const compiled = /\.m?js$/;
const declarations = /\.d\.m?ts$/;
const text = new Set([
  ".js",
  ".mjs",
  ".ts",
  ".mts",
  ".map",
  ".json",
  ".yaml",
  ".md",
  ".py",
  ".cc",
  ".h",
  ".csv",
]);

/**
 * Checks the files of an unpacked package.
 *
 * @param {string} folder
 * @param {string} root the repository that it was made from.
 */
export function checkFiles(folder, root) {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => statSync(join(folder, file)).isFile());
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  checkSizes(folder, files);
  for (const file of files) {
    assert.doesNotMatch(file, /(^|\/)(tests?|docs|node_modules|native\/build)(\/|$)|\.test\.|\.png$/, file);
    assert(extname(file) !== ".ts" || declarations.test(file), `${file}: expected compiled modules`);
    if (text.has(extname(file))) checkPaths(folder, file, [root, homedir(), tmpdir()]);
    if (compiled.test(file) || declarations.test(file)) checkImports(folder, file, manifest);
  }
  for (const path of exported(manifest.exports)) assert(files.includes(path), `exports: there is no ${path}`);
  for (const path of Object.values(manifest.bin)) assert(files.includes(path), `bin: there is no ${path}`);
  for (const name of ["preinstall", "install", "postinstall"]) assert(!(name in manifest.scripts), name);
}

function checkSizes(/** @type {string} */ folder, /** @type {string[]} */ files) {
  const sizes = files.map((file) => statSync(join(folder, file)).size);
  const whole = sizes.reduce((sum, size) => sum + size);
  assert(whole < LARGEST, `expected less than ${LARGEST} bytes, got ${whole}`);
  files.forEach((file, i) => assert(sizes[i] < LARGEST_FILE, `${file}: ${sizes[i]} bytes`));
}

/** No path of the machine that made the package. */
function checkPaths(/** @type {string} */ folder, /** @type {string} */ file, /** @type {string[]} */ paths) {
  const content = readFileSync(join(folder, file), "utf8");
  for (const path of paths.filter((one) => one.length > 1)) {
    assert(!content.includes(`${path}/`), `${file}: has the path ${path} of this machine`);
  }
}

/** Everything that is imported is there, or is in a package that is installed along. */
function checkImports(
  /** @type {string} */ folder,
  /** @type {string} */ file,
  /** @type {{ dependencies: object, peerDependencies: object }} */ { dependencies, peerDependencies },
) {
  const code = readFileSync(join(folder, file), "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
  const found = code.matchAll(/(?:\bfrom|^import|\bimport\()\s*["']([^"'\s`$]+)["']/gm);
  for (const [, name] of found) {
    if (name.startsWith(".")) {
      const path = join(folder, dirname(file), name);
      const typed = path.replace(/\.(m?)js$/, ".d.$1ts");
      const there = declarations.test(file) ? existsSync(typed) || existsSync(path) : existsSync(path);
      assert(there, `${file}: imports ${name}, which is not in the package`);
    } else if (!name.startsWith("node:") && !name.startsWith("/") && !builtinModules.includes(name)) {
      const [scope, rest] = name.split("/");
      const packageName = scope.startsWith("@") ? `${scope}/${rest}` : scope;
      const along = packageName in { ...dependencies, ...peerDependencies };
      // Only the repository's TypeScript needs tsx.
      assert(along || name === "tsx/esm/api", `${file}: imports ${name}, which is no dependency`);
    }
  }
}

/** All paths that a package exports, without "./". @returns {string[]} */
function exported(/** @type {unknown} */ entry) {
  if (typeof entry === "string") return [entry.replace(/^\.\//, "")];
  return Object.values(/** @type {object} */ (entry)).flatMap(exported);
}
