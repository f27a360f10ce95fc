import { describe, test } from "@jest/globals";
import { InputError } from "../../src/core/errors.ts";
import type { Engine } from "../../src/engines/index.ts";
import { tfjsEngine } from "../../src/engines/tfjs/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";

/** An engine of this machine, or why it has none. */
export type Candidate =
  | { readonly name: string; readonly engine: Engine }
  | { readonly name: string; readonly engine?: undefined; readonly reason: string };

/** One, because tests are small and their files run side by side. */
const threads = 1;

/** Every engine that works on this machine, and the others with the reason why they do not. */
export async function engines(): Promise<Candidate[]> {
  const makers: [name: string, make: () => Engine | Promise<Engine>][] = [
    ["torch-cpu float64", () => torchEngine({ dtype: "float64", threads })],
    ["torch-cpu float32", () => torchEngine({ dtype: "float32", threads })],
    ["torch-cuda float64", () => torchEngine({ dtype: "float64", device: "cuda" })],
    // TF32 keeps ten bits of each factor; the bounds of the tests are those of float32.
    ["torch-cuda float32", () => torchEngine({ dtype: "float32", device: "cuda", tf32: false })],
    ["tfjs", () => tfjsEngine()],
  ];
  const found: Candidate[] = [];
  for (const [name, make] of makers) {
    try {
      const engine = await make();
      found.push({ name: name === "tfjs" ? engine.name : name, engine });
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      found.push({ name, reason: error.message });
    }
  }
  return found;
}

/** The torch engine in float64 on the CPU, where gradients are checked; undefined where it does not work. */
export function exactEngine(candidates: readonly Candidate[]): Engine | undefined {
  return candidates.find(({ name }) => name === "torch-cpu float64")?.engine;
}

/** A block of tests for each engine; an absent one shows as a skipped test under its name. */
export function describeEngines(candidates: readonly Candidate[], body: (engine: Engine) => void): void {
  for (const candidate of candidates) {
    if (candidate.engine === undefined) {
      test.skip(`${candidate.name}: ${candidate.reason}`, () => undefined);
    } else {
      const { engine } = candidate;
      describe(candidate.name, () => {
        body(engine);
      });
    }
  }
}
