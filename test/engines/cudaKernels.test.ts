import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { compileKernels, gpuPart } from "../../native/cuda.mjs";

const folder = mkdtempSync(join(tmpdir(), "kernels-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe("nvcc", () => {
  test("that fails is a reason, and no error", async () => {
    const broken = join(folder, "nvcc");
    writeFileSync(broken, "#!/bin/sh\necho 'error: unsupported GNU version' >&2; exit 1\n", { mode: 0o755 });
    expect(await compileKernels(broken, join(folder, "none"))).toEqual({
      reason: "nvcc failed: error: unsupported GNU version",
    });
  });

  test("is of no use to a libtorch without CUDA, and what a libtorch with CUDA can do without", async () => {
    const torch = { source: "here", version: "2.11.0", includes: [], libraries: [folder] };
    const without = (reason: string): string[] => [`-DDISTILLERY_WITHOUT_KERNELS="${reason}"`];
    const cpu = await gpuPart(torch, join(folder, "cuda"));
    expect(cpu).toEqual({ objects: [], flags: without("libtorch has no CUDA"), links: [] });
    const before = process.env["CUDA_HOME"];
    process.env["CUDA_HOME"] = folder; // looked in alone, where it is set
    writeFileSync(join(folder, "libtorch_cuda.so"), "");
    const gpu = await gpuPart(torch, join(folder, "cuda"));
    if (before === undefined) delete process.env["CUDA_HOME"];
    else process.env["CUDA_HOME"] = before;
    const links = ["-ltorch_cuda", "-lc10_cuda"];
    expect(gpu).toEqual({ objects: [], flags: without("nvcc not found"), links });
  });
});
