// Compiles the addon over libtorch. Run it by itself (`node native/build.mjs`), or let the engine do so.
import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gpuPart } from "./cuda.mjs";
import { findTorch } from "./libtorch.mjs";
import { lock } from "./lock.mjs";
import {
  addonIn,
  chosenFolder,
  currentFolder,
  isCurrent,
  sources,
  stampIn,
  stampOf,
  variant,
} from "./place.mjs";

export { findTorch };

const here = import.meta.dirname;

/** Where the compiled addon lies, or would be compiled to. */
export const addonFile = () => addonIn(currentFolder() ?? chosenFolder());

/** Whether there is an addon that is up to date. */
export const isBuilt = () => currentFolder() !== undefined;

const common = ["-march=native", "-fPIC", "-fvisibility=hidden", "-Wall"];
/**
 * For simd/, whose files know nothing of libtorch. No -ffast-math, which would lose NaN; with these, the loops become
 * vector code all the same.
 */
const simdFlags = [
  "-std=c++17",
  "-O3",
  ...(process.arch === "x64" ? ["-mprefer-vector-width=512"] : []),
  "-fno-math-errno",
  "-fno-trapping-math",
  "-fopenmp-simd",
];

/**
 * Compiles the addon unless it is up to date, and says so. Several processes may call at once: one compiles, the others
 * wait. An attempt that failed is not repeated while libtorch, compiler and sources are the same.
 *
 * @throws Error that names what is missing or what the compiler said.
 */
export async function build({ again = false, say = toStandardError } = {}) {
  if (isBuilt()) return;
  const { torch, reason } = findTorch();
  if (reason !== undefined) throw new Error(reason);
  const folder = chosenFolder();
  mkdirSync(folder, { recursive: true });
  const unlock = await lock(join(folder, "lock"), () =>
    say("another process compiles the torch engine: waiting for it"),
  );
  try {
    if (isCurrent(folder)) return;
    const attempt = { ...stampOf(torch), compiler: await compilerVersion() };
    if (!again) refuseToRepeat(folder, attempt);
    say("compiling the torch engine for this machine, once; it takes about half a minute");
    const begun = performance.now();
    await compiled(folder, torch, attempt);
    say(`compiled in ${Math.round((performance.now() - begun) / 1000)} s: ${addonIn(folder)}`);
  } finally {
    unlock();
  }
}

const toStandardError = (line) => process.stderr.write(`distillery: ${line}\n`);

/** `build` for callers that cannot wait asynchronously. */
export function buildNow() {
  if (isBuilt()) return;
  try {
    execFileSync(process.execPath, [fileURLToPath(import.meta.url)], {
      encoding: "utf8",
      stdio: "pipe",
    });
  } catch (error) {
    throw new Error(String(error.stderr ?? error.message).trim());
  }
}

async function compilerVersion() {
  const { stdout } = await run(["--version"]);
  return stdout.split("\n")[0];
}

const failureIn = (folder) => join(folder, "failure.json");

/** @throws Error where the same attempt has failed before. */
function refuseToRepeat(folder, attempt) {
  const file = failureIn(folder);
  if (!existsSync(file)) return;
  const { reason, ...before } = JSON.parse(readFileSync(file, "utf8"));
  if (JSON.stringify(before) !== JSON.stringify(attempt)) return;
  throw new Error(`${reason} (when it was compiled before; without ${file} it is tried again)`);
}

async function compiled(folder, torch, attempt) {
  try {
    await compile(folder, torch);
  } catch (error) {
    writeWhole(failureIn(folder), JSON.stringify({ ...attempt, reason: error.message }));
    throw error;
  }
  rmSync(failureIn(folder), { force: true });
}

function writeWhole(file, text) {
  const partial = `${file}.${process.pid}.partial`;
  writeFileSync(partial, text);
  renameSync(partial, file);
}

async function compile(folder, torch) {
  const partial = (name) => join(folder, `${name}.${process.pid}.partial`);
  const [binding, addon] = [partial("binding.o"), partial("torch.node")];
  const units = sources().filter((file) => file.endsWith(".cc"));
  const simd = units
    .filter((file) => file.startsWith("simd"))
    .map((file) => ({ source: join(here, file), object: partial(`${basename(file)}.o`) }));
  const gpu = await gpuPart(torch, partial("cuda"));
  const objects = [binding, ...simd.map(({ object }) => object), ...gpu.objects];
  try {
    // One unit: libtorch's headers take most of the time, and are read once for all files.
    const bound = units.filter((file) => !file.startsWith("simd"));
    const includes = bound.map((file) => `#include "${join(here, file)}"\n`).join("");
    await Promise.all([
      run([...bindingFlags(torch), ...gpu.flags, "-x", "c++", "-c", "-", "-o", binding], includes),
      ...simd.map(({ source, object }) =>
        run([...common, ...simdFlags, ...variant.flags, "-c", source, "-o", object]),
      ),
    ]);
    await run(["-shared", ...variant.flags, ...objects, ...linkFlags(torch), ...gpu.links, "-o", addon]);
    renameSync(addon, addonIn(folder));
  } finally {
    for (const file of [...objects, addon]) rmSync(file, { force: true });
  }
  writeWhole(join(folder, "stamp.json"), `${JSON.stringify(stampOf(torch), null, 2)}\n`);
}

function bindingFlags(torch) {
  const standard = torch.version.startsWith("1.") ? "c++17" : "c++20"; // torch 2 is written in C++20 by now
  // Strings must be laid out as the library was compiled; its symbols tell.
  const newStrings = readFileSync(join(torch.libraries[0], "libc10.so")).includes("__cxx1112basic_string");
  const nodeHeaders = createRequire(import.meta.url)("node-api-headers").include_dir;
  const includes = [...torch.includes, nodeHeaders].filter((folder) => folder !== "/usr/include");
  return [
    `-std=${standard}`,
    `-D_GLIBCXX_USE_CXX11_ABI=${newStrings ? 1 : 0}`,
    ...common,
    "-O2",
    "-fopenmp",
    ...variant.flags,
    ...includes.flatMap((folder) => ["-isystem", folder]),
  ];
}

/** OpenMP is not linked: its symbols come with libtorch, whose copy must be the only one in the process. */
function linkFlags(torch) {
  return [
    ...torch.libraries.flatMap((folder) => [`-L${folder}`, `-Wl,-rpath,${folder}`]),
    // Node unloads an addon with the last worker that uses it, but libtorch's threads and statics go on.
    "-Wl,-z,nodelete",
    "-Wl,--no-as-needed",
    "-ltorch_cpu",
    "-lc10",
  ];
}

/** Runs the compiler, with `input` as its source where given. */
async function run(given, input = "") {
  try {
    const compiling = promisify(execFile)("g++", given, { maxBuffer: 1 << 26 });
    compiling.child.stdin.on("error", () => {}); // where g++ does not start, the promise tells
    compiling.child.stdin.end(input);
    return await compiling;
  } catch (error) {
    if (error.code === "ENOENT") throw new Error("g++ not found; install a C++ compiler (Debian: g++)");
    const said = String(error.stderr || error.message).split("\n");
    const complaints = said.filter((line) => /error|undefined|cannot find/.test(line));
    throw new Error(`g++ failed: ${(complaints.length > 0 ? complaints : said).slice(0, 3).join("\n")}`);
  }
}

async function main() {
  const before = isBuilt();
  await build({ say: () => {} });
  const folder = currentFolder();
  const { torch } = stampIn(folder);
  console.log(
    `${addonIn(folder)}: ${before ? "up to date" : "compiled"}, libtorch ${torch.version} (${torch.source})`,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
