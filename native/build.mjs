// Finds libtorch and compiles the addon over it. Run it by itself (`node native/build.mjs`), or let the engine do so.
import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync } from "node:fs";
import { renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const here = import.meta.dirname;
const output = join(here, "build");
const stampFile = join(output, "stamp.json");

/** Where the compiled addon lies. */
export const addonFile = join(output, "torch.node");

const common = ["-march=native", "-fPIC", "-fvisibility=hidden", "-Wall"];
// No -ffast-math: it would drop NaN, and these two are all the fused loops need to become vector code.
const fusedFlags = [
  "-O3",
  "-mprefer-vector-width=512",
  "-fno-math-errno",
  "-fno-trapping-math",
  "-fopenmp-simd",
];
const bindingFlags = ["-O2", "-fopenmp"];

/**
 * The first libtorch of $LIBTORCH, python3's `torch` package, and Debian's libtorch-dev that has headers and library.
 *
 * @returns {{ torch: import("./build.d.mts").Torch } | { reason: string }}
 */
export function findTorch() {
  const tried = [];
  for (const { source, include, library } of candidates()) {
    if (include === undefined || library === undefined) {
      tried.push(`${source}: not there`);
      continue;
    }
    const header = join(include, "torch/csrc/api/include/torch/version.h");
    const versionLine = existsSync(header) ? readFileSync(header, "utf8") : "";
    const part = (name) => versionLine.match(new RegExp(`#define TORCH_VERSION_${name} (\\d+)`))?.[1];
    if (part("MAJOR") === undefined) tried.push(`${source}: no headers under ${include}`);
    else if (!existsSync(join(library, "libtorch_cpu.so")))
      tried.push(`${source}: no libtorch_cpu.so in ${library}`);
    else {
      const version = `${part("MAJOR")}.${part("MINOR")}.${part("PATCH")}`;
      const includes = [include, join(include, "torch/csrc/api/include")];
      return { torch: { source, version, includes, libraries: [library] } };
    }
  }
  return {
    reason: `no libtorch found (${tried.join("; ")}); install Debian's libtorch-dev or pip's torch, or set LIBTORCH`,
  };
}

/** Places to look, best first; include and library are undefined where there is nothing to look at. */
function candidates() {
  const under = (source, root) =>
    root === undefined ? { source } : { source, include: join(root, "include"), library: join(root, "lib") };
  const debian = ["x86_64", "aarch64"]
    .map((machine) => `/usr/lib/${machine}-linux-gnu`)
    .find((folder) => existsSync(join(folder, "libtorch_cpu.so")));
  return [
    ...(process.env.LIBTORCH ? [under("$LIBTORCH", process.env.LIBTORCH)] : []),
    under("python3's torch", pythonTorch()),
    debian === undefined
      ? { source: "Debian's libtorch-dev" }
      : { source: "Debian's libtorch-dev", include: "/usr/include", library: debian },
  ];
}

/** Folder of python3's torch package, found without importing it. */
function pythonTorch() {
  const program =
    "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')";
  try {
    return (
      execFileSync("python3", ["-c", program], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      }).trim() || undefined
    );
  } catch {
    return undefined; // no python3, or one that does not start: the next candidate may do
  }
}

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
  readdirSync(here)
    .filter((file) => /\.(cc|h|mjs)$/.test(file))
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
  const { fingerprint: built, library, torch, libtorch } = JSON.parse(readFileSync(stampFile, "utf8"));
  return (
    built === fingerprint() &&
    libtorch === (process.env.LIBTORCH ?? "") &&
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
    execFileSync(process.execPath, [fileURLToPath(import.meta.url)], { encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    throw new Error(String(error.stderr ?? error.message).trim());
  }
}

/** Holds the lock file, once its present holder has let go or died. Returns what lets go. */
async function lock(file) {
  for (;;) {
    try {
      closeSync(openSync(file, "wx"));
      writeFileSync(file, String(process.pid));
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
  const objects = sources().filter((file) => file.endsWith(".cc"));
  const objectOf = (file) => join(output, `${file}.o`);
  const queue = objects.map(
    (file) => () => run("g++", [...flagsOf(file, torch), "-c", join(here, file), "-o", objectOf(file)]),
  );
  const worker = async () => {
    for (let job = queue.pop(); job !== undefined; job = queue.pop()) await job();
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));

  const unfinished = `${addonFile}.${process.pid}.partial`;
  await run("g++", ["-shared", ...objects.map(objectOf), ...linkFlags(torch), "-o", unfinished]);
  for (const file of objects) rmSync(objectOf(file));
  renameSync(unfinished, addonFile);
  const stamp = {
    fingerprint: fingerprint(),
    torch,
    library: libraryState(torch),
    libtorch: process.env.LIBTORCH ?? "",
  };
  writeFileSync(stampFile, `${JSON.stringify(stamp, null, 2)}\n`);
}

function flagsOf(file, torch) {
  if (file === "fused.cc") return ["-std=c++17", ...common, ...fusedFlags];
  // torch 2 is written in C++20 by now, and was compiled with the library's own choice of string.
  const standard = torch.version.startsWith("1.") ? "c++17" : "c++20";
  const newStrings = readFileSync(join(torch.libraries[0], "libc10.so")).includes("__cxx1112basic_string")
    ? 1
    : 0;
  const nodeHeaders = createRequire(import.meta.url)("node-api-headers").include_dir;
  const includes = [...torch.includes, nodeHeaders].filter((folder) => folder !== "/usr/include");
  return [
    `-std=${standard}`,
    `-D_GLIBCXX_USE_CXX11_ABI=${newStrings}`,
    ...common,
    ...bindingFlags,
    ...includes.flatMap((folder) => ["-isystem", folder]),
  ];
}

/** OpenMP is not linked: its symbols come with libtorch, whose copy must be the only one in the process. */
function linkFlags(torch) {
  const cuda = torch.libraries.some((folder) => existsSync(join(folder, "libtorch_cuda.so")));
  return [
    ...torch.libraries.flatMap((folder) => [`-L${folder}`, `-Wl,-rpath,${folder}`]),
    "-Wl,--no-as-needed",
    "-ltorch_cpu",
    "-lc10",
    ...(cuda ? ["-ltorch_cuda", "-lc10_cuda"] : []),
  ];
}

async function run(program, given) {
  try {
    await promisify(execFile)(program, given, { maxBuffer: 1 << 26 });
  } catch (error) {
    if (error.code === "ENOENT")
      throw new Error(`${program} not found; install a C++ compiler (Debian: g++)`);
    const said = String(error.stderr || error.message).split("\n");
    const complaint = said.filter((line) => /error|undefined|cannot find/.test(line)).slice(0, 3);
    throw new Error(
      `${program} failed on ${given.at(-3) ?? ""}: ${(complaint.length > 0 ? complaint : said.slice(0, 3)).join("\n")}`,
    );
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
