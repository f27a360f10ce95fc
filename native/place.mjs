// Where the compiled addon lies: beside its sources, or, where these are another's to write, in a cache of the user's own.
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { cpus, homedir } from "node:os";
import { join } from "node:path";
import { nvccFor } from "./cuda.mjs";

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
/** The build that is asked for. */
export const variant = variants[asked];

/** Files that the addon is compiled from, and this program's own, as paths below native/. */
export const sources = () =>
  ["", "simd", "cuda"]
    .flatMap((folder) => readdirSync(join(here, folder)).map((file) => join(folder, file)))
    .filter((file) => /\.(cc|cuh?|h|mjs)$/.test(file))
    .sort();

const processor = cpus()[0]?.model ?? "";

/** Everything a compiled addon depends on besides libtorch: sources, the compiler's flags among them, and the CPU. */
export function fingerprint() {
  const hash = createHash("sha256");
  for (const file of sources()) hash.update(file).update(readFileSync(join(here, file)));
  return hash.update(processor).update(process.arch).digest("hex");
}

/** What `isCurrent` compares of an addon that is compiled now over this libtorch. */
export function stampOf(torch) {
  return {
    fingerprint: fingerprint(),
    processor,
    torch,
    library: libraryState(torch),
    libtorch: process.env.LIBTORCH ?? "",
    nvcc: nvccFor(torch),
  };
}

/** Size and time of libtorch's library: another version in the same place changes them. */
function libraryState(torch) {
  return torch.libraries.map((folder) => {
    const file = join(folder, "libtorch_cpu.so");
    return existsSync(file) ? `${file} ${statSync(file).size} ${statSync(file).mtimeMs}` : `${file} is gone`;
  });
}

/** The addon in a folder. */
export const addonIn = (folder) => join(folder, "torch.node");

/** What is known of the addon in a folder; undefined where there is none. */
export function stampIn(folder) {
  const file = join(folder, "stamp.json");
  return existsSync(addonIn(folder)) && existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}

/** Whether the addon in a folder was compiled from these sources, on this CPU, against a libtorch that is still there. */
export function isCurrent(folder) {
  const stamp = stampIn(folder);
  return (
    stamp !== undefined && JSON.stringify(stamp) === JSON.stringify({ ...stamp, ...stampOf(stamp.torch) })
  );
}

/** The folder with an addon that is up to date, if there is one. */
export function currentFolder() {
  return [packageFolder, cacheFolder()].find(isCurrent);
}

/**
 * Where an addon would be compiled: beside the sources, unless that folder cannot be written, or has the addon of another
 * CPU, as where machines share it.
 */
export function chosenFolder() {
  const there = stampIn(packageFolder);
  const another = there?.processor !== undefined && there.processor !== processor;
  const fits = asked !== "" || (!another && isWritable(existsSync(packageFolder) ? packageFolder : here));
  return fits ? packageFolder : cacheFolder();
}

const packageFolder = join(here, variant.folder);

/** $XDG_CACHE_HOME/distillery/VERSION-HASH, by default below ~/.cache. */
function cacheFolder() {
  const { version } = JSON.parse(readFileSync(join(here, "..", "package.json"), "utf8"));
  const caches = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  return join(caches, "distillery", `${version}-${fingerprint().slice(0, 12)}`);
}

function isWritable(folder) {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
