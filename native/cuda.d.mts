/** Compiled kernels, and where the toolkit that compiled them has its headers and libraries. */
export interface Kernels {
  readonly objects: readonly string[];
  readonly includes: readonly string[];
  readonly libraries: readonly string[];
  readonly reason?: undefined;
}

export declare function findNvcc(): string | undefined;
export declare function compileKernels(
  nvcc: string,
  prefix: string,
): Promise<Kernels | { readonly reason: string }>;
