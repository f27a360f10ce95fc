// Compiles the addon over libtorch. Run it by itself (`node native/build.mjs`), or let the engine do so.
import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gpuPart, nvccFor } from "./cuda.mjs";
import { findTorch } from "./libtorch.mjs";

export { findTorch };

const here = import.meta.dirname;

/** Builds of the addon by the value of DISTILLERY_NATIVE, each in a folder of its own, with the flags it adds. */
const variants = {
  "": { folder: "build", flags: [] },
  // Memory errors and undefined behaviour end the process, with a report. Node must be started with the sanitizers'
  // libraries: experiments/setup/sanitize.mjs does it.
  sanitize: {
    folder: "build/sanitize",
    flags: [
      "-fsanitize=address,undefined",
      "-fno-sanitize-recover=undefined",
      "-fno-omit-frame-pointer",
      "-D_GLIBCXX_ASSERTIONS",
      "-g",
      "-O1",
    ],
  },
};
const asked = process.env.DISTILLERY_NATIVE ?? "";
if (!Object.hasOwn(variants, asked)) {
  throw new Error(`DISTILLERY_NATIVE: expected sanitize, or nothing for the usual build, got ${asked}`);
}
const variant = variants[asked];
const output = join(here, variant.folder);
const stampFile = join(output, "stamp.json");

/** Where the compiled addon lies. */
export const addonFile = join(output, "torch.node");

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

/** Everything a compiled addon depends on besides libtorch: sources, this script's flags, and the CPU. */
function fingerprint() {
  const hash = createHash("sha256");
  for (const file of sources()) hash.update(file).update(readFileSync(join(here, file)));
  return hash
    .update(cpus()[0]?.model ?? "")
    .update(process.arch)
    .digest("hex");
}

const sources = () =>
  ["", "simd", "cuda"]
    .flatMap((folder) => readdirSync(join(here, folder)).map((file) => join(folder, file)))
    .filter((file) => /\.(cc|cuh?|h|mjs)$/.test(file))
    .sort();

/** Size and time of libtorch's library: another version in the same place changes them. */
function libraryState(torch) {
  return torch.libraries.map((folder) => {
    const file = join(folder, "libtorch_cpu.so");
    return existsSync(file) ? `${file} ${statSync(file).size} ${statSync(file).mtimeMs}` : `${file} is gone`;
  });
}

/** Whether the addon was compiled from these sources, on this CPU, against a libtorch that is still there. */
export function isBuilt() {
  if (!existsSync(addonFile) || !existsSync(stampFile)) return false;
  const { fingerprint: built, library, torch, libtorch, nvcc } = JSON.parse(readFileSync(stampFile, "utf8"));
  return (
    built === fingerprint() &&
    libtorch === (process.env.LIBTORCH ?? "") &&
    nvcc === nvccFor(torch) &&
    JSON.stringify(library) === JSON.stringify(libraryState(torch))
  );
}

/**
 * Compiles the addon unless it is up to date. Several processes may call at once: one compiles, the others wait.
 *
 * @throws Error that names what is missing or what the compiler said.
 */
export async function build() {
  if (isBuilt()) return;
  mkdirSync(output, { recursive: true });
  const unlock = await lock(join(output, "lock"));
  try {
    if (!isBuilt()) await compile();
  } finally {
    unlock();
  }
}

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

/** Holds the lock file, once its present holder has let go or died. Returns what lets go. */
async function lock(file) {
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: "wx" });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const holder = Number(existsSync(file) ? readFileSync(file, "utf8") : 0);
    if (holder > 0 && !isRunning(holder)) rmSync(file, { force: true });
    else await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

async function compile() {
  const found = findTorch();
  if (found.reason !== undefined) throw new Error(found.reason);
  const { torch } = found;
  const partial = (name) => join(output, `${name}.${process.pid}.partial`);
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
    renameSync(addon, addonFile);
  } finally {
    for (const file of [...objects, addon]) rmSync(file, { force: true });
  }
  const stamp = {
    fingerprint: fingerprint(),
    torch,
    library: libraryState(torch),
    libtorch: process.env.LIBTORCH ?? "",
    nvcc: nvccFor(torch),
  };
  writeFileSync(partial("stamp"), `${JSON.stringify(stamp, null, 2)}\n`);
  renameSync(partial("stamp"), stampFile);
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
    await compiling;
  } catch (error) {
    if (error.code === "ENOENT") throw new Error("g++ not found; install a C++ compiler (Debian: g++)");
    const said = String(error.stderr || error.message).split("\n");
    const complaints = said.filter((line) => /error|undefined|cannot find/.test(line));
    throw new Error(`g++ failed: ${(complaints.length > 0 ? complaints : said).slice(0, 3).join("\n")}`);
  }
}

async function main() {
  const before = isBuilt();
  await build();
  const { torch } = JSON.parse(readFileSync(stampFile, "utf8"));
  console.log(
    `${addonFile}: ${before ? "up to date" : "compiled"}, libtorch ${torch.version} (${torch.source})`,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
