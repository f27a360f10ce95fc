import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "@jest/globals";
import { compileKernels, findNvcc } from "../../native/cuda.mjs";

const folder = mkdtempSync(join(tmpdir(), "kernels-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const run = (program: string, given: readonly string[]): Promise<{ stdout: string }> =>
  promisify(execFile)(program, given);

/** An object file of a C++ source, or of CUDA's, read as C++ for this machine's own processor. */
async function object(source: string, ...flags: readonly string[]): Promise<string> {
  const file = join(folder, `${basename(source)}${flags.join("")}.o`);
  const given = ["-std=c++20", "-O1", "-g", "-fopenmp-simd", "-Itest/native/emulated", ...flags];
  await run("g++", [...given, "-x", "c++", "-c", source, "-o", file]);
  return file;
}

/** Why programs cannot be compiled with this sanitizer, or not run; undefined where they can. */
function failureWith(sanitizer: string): string | undefined {
  const [source, program] = [join(folder, "nothing.cc"), join(folder, `nothing-${sanitizer}`)];
  writeFileSync(source, "int main() {}\n");
  const compiling = spawnSync("g++", [`-fsanitize=${sanitizer}`, source, "-o", program]);
  if (compiling.error) return "no g++";
  if (compiling.status !== 0) return `g++ has no ${sanitizer} sanitizer`;
  return spawnSync(program).status === 0 ? undefined : `the ${sanitizer} sanitizer does not run here`;
}

const onCpu = ["native/simd/normReluPool.cc", "native/simd/normReluPoolSecond.cc"];
const kernels = ["native/cuda/normReluPool.cu", "native/cuda/normReluPoolSecond.cu"];

/** What both programs have in common, compiled once. */
let common: readonly Promise<string>[] | undefined;
const uninstrumented = (): readonly Promise<string>[] =>
  (common ??= [...onCpu, "test/native/compareKernels.cc"].map((source) => object(source)));

/** Largest difference between the kernels and the CPU's block, by case and array. */
async function differences(sanitizer: string, pattern = ""): Promise<Map<string, number>> {
  const sanitize = `-fsanitize=${sanitizer}`;
  const objects = await Promise.all([
    ...uninstrumented(),
    ...kernels.map((source) => object(source, sanitize)),
  ]);
  const program = join(folder, sanitizer);
  await run("g++", [...objects, sanitize, "-pthread", "-o", program]);
  const { stdout } = await run(program, [pattern]);
  return new Map(
    stdout
      .trim()
      .split("\n")
      .map((line) => line.split(": ") as [string, string])
      .map(([name, difference]) => [name, Number(difference)]),
  );
}

/** A test, or one that is skipped with its reason. */
function testUnless(reason: string | undefined, name: string, body: () => Promise<void>): void {
  if (reason === undefined) test(name, body, 600_000);
  else test.skip(`${name}: ${reason}`, () => undefined);
}

// Compiling the kernels three times, under two sanitizers and by nvcc, takes half a minute of a core.
describe("the CUDA kernels, each of their threads a thread of this machine", () => {
  testUnless(failureWith("address"), "give the CPU's numbers, and stay inside their arrays", async () => {
    const found = await differences("address");
    expect(found.size).toBe(11 * 3 * 9); // cases, kinds of pooling, arrays
    // Float32 keeps seven digits, of which a mean of a thousand takes three from what lies around it.
    const bound = (name: string): number => (name.startsWith("a mean far from zero") ? 5e-4 : 5e-6);
    expect([...found].filter(([name, difference]) => !(difference <= bound(name)))).toEqual([]);
  });

  testUnless(failureWith("thread"), "do not race", async () => {
    expect((await differences("thread", "more channels than lanes")).size).toBe(3 * 9);
  });
});

describe("nvcc", () => {
  const nvcc = findNvcc();
  testUnless(nvcc === undefined ? "nvcc not found" : undefined, "compiles the kernels", async () => {
    const compiled = await compileKernels(nvcc!, join(folder, "cuda"));
    if (compiled.reason !== undefined) throw new Error(compiled.reason);
    expect(compiled.objects.filter((file) => existsSync(file))).toHaveLength(kernels.length);
    const includes = [...compiled.includes, "/usr/include"]; // where Debian's package has what it need not name
    expect(includes.some((include) => existsSync(join(include, "cuda_runtime_api.h")))).toBe(true);
  });
});
