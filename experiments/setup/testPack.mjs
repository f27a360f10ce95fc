// @ts-check
/**
 * Packs the package, installs it in an empty folder as a user would, and uses it there: the README's example, the command
 * line, the types, and an installation that cannot be written.
 *
 *     node experiments/setup/testPack.mjs
 */
import { strict as assert } from "node:assert";
import { execFile, execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { promisify } from "node:util";
import { findTorch } from "../../native/libtorch.mjs";
import { checkFiles } from "./packed.mjs";

const root = join(import.meta.dirname, "..", "..");
const work = mkdtempSync(join(tmpdir(), "distillery-pack-"));
const user = join(work, "user");
const installed = join(user, "node_modules", "distillery");
const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
/** Of Debian: an account without rights. */
const nobody = 65534;

/**
 * Runs a program in the user's folder.
 *
 * @param {string} program
 * @param {string[]} given
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, uid?: number, gid?: number }} [options]
 */
async function run(program, given, { cwd = user, env = {}, ...options } = {}) {
  // What this process was given by npm belongs to the repository.
  const clean = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_OPTIONS$)/i.test(name));
  const all = { ...Object.fromEntries(clean), NO_COLOR: "1", ...env };
  try {
    return await promisify(execFile)(program, given, { cwd, env: all, maxBuffer: 1 << 26, ...options });
  } catch (error) {
    const { stdout, stderr } = /** @type {{ stdout: string, stderr: string }} */ (error);
    throw new Error(`${program} ${given.join(" ")} failed:\n${stdout}${stderr}`, { cause: error });
  }
}

/** Runs one check and says how long it took. */
async function check(/** @type {string} */ what, /** @type {() => Promise<unknown>} */ body) {
  const begun = performance.now();
  const note = await body();
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  console.log(`ok ${seconds.padStart(6)} s  ${what}${typeof note === "string" ? `: ${note}` : ""}`);
}

/** The README's example, exactly as printed. */
function example() {
  const section = readFileSync(join(root, "README.md"), "utf8").split("## As a library")[1] ?? "";
  const [, code] = section.match(/```ts\n([\s\S]*?)```/) ?? [];
  assert(code, "README.md: expected an example in TypeScript under “As a library”");
  return code;
}

async function pack() {
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", work], { cwd: root });
  const [{ filename, size, unpackedSize, files }] = JSON.parse(stdout);
  mkdirSync(join(work, "unpacked"));
  execFileSync("tar", ["xzf", join(work, filename), "-C", join(work, "unpacked")]);
  checkFiles(join(work, "unpacked", "package"), root);
  tarball = join(work, filename);
  return `${files.length} files, ${(size / 1e3).toFixed(0)} kB, ${(unpackedSize / 1e6).toFixed(1)} MB unpacked`;
}
let tarball = "";

/** As npm does it by itself: from its own cache where that has a package, without any script. */
async function install() {
  mkdirSync(user);
  const { stdout, stderr } = await run("npm", [
    "install",
    "--prefer-offline",
    "--no-audit",
    "--no-fund",
    tarball,
  ]);
  assert.doesNotMatch(stdout + stderr, /install scripts?|allow-scripts/i);
  const lock = JSON.parse(readFileSync(join(user, "package-lock.json"), "utf8"));
  const entries = Object.entries(/** @type {Record<string, { hasInstallScript?: true }>} */ (lock.packages));
  const asking = entries.filter(([, one]) => one.hasInstallScript).map(([path]) => path);
  assert.deepEqual(asking, [], "packages that ask for an install script");
  return `${entries.length - 1} packages, no install script`;
}

/** Two programs at once ask for an engine that is not compiled yet. */
async function firstUse() {
  writeFileSync(join(user, "example.mjs"), example());
  const [{ stdout, stderr }, engines] = await Promise.all([
    run("node", ["example.mjs"]),
    run("npx", ["distillery", "engines"]),
  ]);
  assert.match(stdout, /^step 1, loss [\s\S]*step 50, loss .*\naccuracy \d+\.\d %\n$/);
  assert.match(engines.stdout, /^✓ tfjs-wasm/m);
  const said = stderr + engines.stderr;
  const expected = findTorch().torch ? 1 : 0;
  assert.equal(said.match(/compiling the torch engine/g)?.length ?? 0, expected, said);
  if (expected === 0) return `${lastLine(stdout)}; no libtorch here, so TensorFlow.js did the work`;
  assert.match(said, /compiled in \d+ s: .*\/node_modules\/distillery\/dist\/native\/build\/torch\.node/);
  assert.match(engines.stdout, /^✓ torch-cpu/m);
  return `${lastLine(stdout)}; ${said.match(/compiled in \d+ s/)?.[0]}`;
}

const lastLine = (/** @type {string} */ text) => text.trimEnd().split("\n").at(-1);

async function commandLine() {
  const { stdout } = await run("npx", ["distillery", "demo", "--size", "small"]);
  assert.match(stdout, /Done in .*report\.html/);
  const report = await run("npx", ["distillery", "report", "results/demo"]);
  assert.match(report.stdout, /report\.html/);
  const overrides = ["steps=1", "data.trainPerClass=60", "data.testPerClass=5", "network.width=8"];
  const distill = ["distill", "dm-procedural-lt", ...overrides, "--no-evaluate", "--name", "own"];
  assert.match((await run("npx", ["distillery", ...distill])).stdout, /results\/runs\/own\/seed-0/);
}

/** A program that knows the types alone: what it states is checked, and what is wrong is refused. */
const typed = `
import { type Dataset, datasetOf, distillationOf, evaluationOf, type Objective, methodOf, selectEngine } from "distillery";
import { gaussian, type StationaryKernel } from "distillery/kernels";

const kernel: StationaryKernel = gaussian({ scale: 2 });
const train: Dataset = datasetOf({ pixels: new Float32Array(2 * 64), labels: [0, 1], imageShape: [8, 8, 1] });
const own: Objective = { ...methodOf({ name: "dm", realBatch: 8 }), name: kernel.name };
const { engine } = await selectEngine("tfjs");
const run = distillationOf(train, { engine, objective: { name: "csdm", kernel: { name: "matern32", scale: 2 } }, steps: 1 });
const images: Float32Array = distillationOf(train, { engine, objective: own, steps: 1 }).finish().images;
const accuracy: number = evaluationOf(run.synthetic(), train, { engine, protocol: "quick" }).finish().accuracy;
export const result = [images, accuracy];

// @ts-expect-error an option that dm has not
distillationOf(train, { engine, objective: { name: "dm", frequencies: 8 }, steps: 1 });
// @ts-expect-error a kernel that does not exist
distillationOf(train, { engine, objective: { name: "csdm", kernel: "matern33" }, steps: 1 });
// @ts-expect-error no steps
distillationOf(train, { engine, objective: "dm" });
`;

async function types() {
  writeFileSync(join(user, "typed.mts"), typed);
  writeFileSync(join(user, "example.mts"), example());
  for (const moduleResolution of ["nodenext", "bundler"]) {
    const module = moduleResolution === "bundler" ? "esnext" : "nodenext";
    const strict = { strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, types: [] };
    const compilerOptions = { ...strict, module, moduleResolution, target: "es2022", noEmit: true };
    const files = ["typed.mts", "example.mts"];
    writeFileSync(join(user, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
    await run("node", [tsc, "-p", "."]);
  }
}

/** Where no libtorch is found, the work goes on without, and says why. */
async function withoutTorch() {
  const { stdout } = await run("npx", ["distillery", "engines"], {
    env: { LIBTORCH: join(work, "nothing") },
  });
  assert.match(stdout, /^✗ torch-cpu .*no libtorch found/m);
  const program = 'import { selectEngine } from "distillery"; console.log((await selectEngine()).reason);';
  const given = ["--input-type=module", "-e", program];
  const { stdout: reason } = await run("node", given, { env: { LIBTORCH: join(work, "nothing") } });
  assert.match(reason, /^tfjs-.*; not torch-cuda, torch-cpu: .*no libtorch found .*install/);
}

/** An installation that its user cannot write, as one for all users of a machine. */
async function readOnly() {
  if (!findTorch().torch) return "left out, as there is no libtorch here";
  const caches = join(work, "caches");
  const asRoot = process.getuid?.() === 0;
  const account = asRoot ? { uid: nobody, gid: nobody } : {};
  const options = { ...account, env: { XDG_CACHE_HOME: caches, HOME: work } };
  const built = join(installed, "dist", "native", "build");
  mkdirSync(caches);
  if (asRoot) chownSync(caches, nobody, nobody);
  chmodSync(work, 0o755);
  cpSync(built, join(work, "built"), { recursive: true });
  rmSync(built, { recursive: true });
  const modes = (/** @type {string} */ mode) =>
    execFileSync("chmod", ["-R", mode, join(user, "node_modules")]);
  modes("a+rX,a-w");
  try {
    const where =
      'import { addonFile } from "./node_modules/distillery/dist/native/build.mjs"; console.log(addonFile());';
    const { stdout } = await run("node", ["--input-type=module", "-e", where], options);
    const addon = stdout.trim();
    assert.match(addon.slice(caches.length), /^\/distillery\/\d+\.\d+\.\d+-[0-9a-f]{12}\/torch\.node$/);
    // What has been compiled already stands for what would be now.
    cpSync(join(work, "built"), dirname(addon), { recursive: true });
    const engines = await run("node", [join(installed, "experiments", "distillery.mjs"), "engines"], options);
    assert.match(engines.stdout, /^✓ torch-cpu/m);
    assert.doesNotMatch(engines.stderr, /compiling/);
  } finally {
    modes("u+w");
  }
}

try {
  await check("the tarball has what it needs and nothing else", pack);
  await check("npm installs it in an empty folder", install);
  await check("README's example runs, with the engine compiled once by two programs at a time", firstUse);
  await check("the command line runs", commandLine);
  await check("the types hold in node and in bundlers", types);
  await check("without libtorch it goes on and says why", withoutTorch);
  await check("an installation that cannot be written compiles in a cache", readOnly);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}
