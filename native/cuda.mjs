// What the addon needs of CUDA: libtorch's part of it, and our own kernels, which nvcc compiles.
import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const folder = join(import.meta.dirname, "cuda");

/** CUDA's compiler: in $CUDA_HOME where that is set, else on PATH or where CUDA's installer puts it. */
export function findNvcc() {
  const { CUDA_HOME, PATH = "" } = process.env;
  const folders = CUDA_HOME ? [join(CUDA_HOME, "bin")] : [...PATH.split(delimiter), "/usr/local/cuda/bin"];
  return folders.map((bin) => join(bin, "nvcc")).find((file) => existsSync(file));
}

const hasCuda = (torch) =>
  torch.libraries.some((libraries) => existsSync(join(libraries, "libtorch_cuda.so")));

/** The compiler that an addon over this libtorch has a use for. */
export const nvccFor = (torch) => (hasCuda(torch) ? findNvcc() : undefined);

/**
 * Objects and flags for an addon over this libtorch. Without kernels the GPU still works, by libtorch's operations one
 * after another, and the addon is told why.
 *
 * @param {string} prefix of the objects that are written.
 */
export async function gpuPart(torch, prefix) {
  const without = (reason) => [`-DDISTILLERY_WITHOUT_KERNELS=${JSON.stringify(reason)}`];
  if (!hasCuda(torch)) return { objects: [], flags: without("libtorch has no CUDA"), links: [] };
  const libtorch = ["-ltorch_cuda", "-lc10_cuda"];
  const nvcc = nvccFor(torch);
  const kernels = nvcc === undefined ? { reason: "nvcc not found" } : await compileKernels(nvcc, prefix);
  if (kernels.reason !== undefined) return { objects: [], flags: without(kernels.reason), links: libtorch };
  return {
    objects: kernels.objects,
    flags: ["-DDISTILLERY_KERNELS", ...kernels.includes.flatMap((include) => ["-isystem", include])],
    links: [
      ...libtorch,
      // nvcc's own runtime beside libtorch's, which may be of another version: hidden, so that neither takes the other's
      // symbols. Streams and memory belong to the driver below both.
      ...kernels.libraries.map((library) => `-L${library}`),
      ...["-lcudart_static", "-Wl,--exclude-libs,libcudart_static.a", "-lrt", "-ldl", "-lpthread"],
    ],
  };
}

/** Compiles the kernels for all GPUs that this nvcc knows and, by way of PTX, for later ones. */
export async function compileKernels(nvcc, prefix) {
  const given = [
    "-arch=all-major",
    "--threads=0",
    "-O3",
    "-std=c++17",
    "-Xcompiler=-fPIC,-fvisibility=hidden",
  ];
  const units = readdirSync(folder)
    .filter((file) => file.endsWith(".cu"))
    .map((file) => ({ source: join(folder, file), object: `${prefix}.${file}.o` }));
  const run = (...options) => promisify(execFile)(nvcc, options, { encoding: "utf8" });
  try {
    const [{ stderr }] = await Promise.all([
      run("--dryrun", "-c", units[0].source),
      ...units.map(({ source, object }) => run(...given, "-c", source, "-o", object)),
    ]);
    return {
      objects: units.map(({ object }) => object),
      includes: foldersIn(stderr, "INCLUDES", "-I"),
      libraries: foldersIn(stderr, "LIBRARIES", "-L"),
    };
  } catch (error) {
    const said = String(error.stderr || error.message)
      .split("\n")
      .filter((line) => line.trim() !== "");
    return { reason: `nvcc failed: ${said.find((line) => /error/i.test(line)) ?? said[0]}` };
  }
}

/** Folders of the toolkit, which nvcc names when asked what it would do: `#$ INCLUDES="-I/usr/local/cuda/include"`. */
function foldersIn(said, variable, option) {
  const line = said.split("\n").find((candidate) => candidate.startsWith(`#$ ${variable}=`)) ?? "";
  return [...line.matchAll(new RegExp(`"${option}([^"]+)"`, "g"))].map((match) => match[1]);
}
