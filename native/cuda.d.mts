import type { Torch } from "./build.d.mts";

/** Compiled kernels, and where the toolkit that compiled them has its headers and libraries. */
export interface Kernels {
  readonly objects: readonly string[];
  readonly includes: readonly string[];
  readonly libraries: readonly string[];
  readonly reason?: undefined;
}

/** What an addon is compiled from and linked with beside its own sources, for a GPU. */
export interface GpuPart {
  readonly objects: readonly string[];
  readonly flags: readonly string[];
  readonly links: readonly string[];
}

export declare function gpuPart(torch: Torch, prefix: string): Promise<GpuPart>;
export declare function findNvcc(): string | undefined;
export declare function compileKernels(
  nvcc: string,
  prefix: string,
): Promise<Kernels | { readonly reason: string }>;
