import { z } from "zod";
import { check } from "../core/errors.ts";
import { sizeOf } from "../core/shape.ts";
import { classIndices, countOf, type Dataset, normalized } from "../datasets/dataset.ts";
import type { Engine } from "../engines/index.ts";
import { accuracy, disposeTestSet, testSet } from "../evaluation/accuracy.ts";
import type { Model } from "../training/model.ts";
import { centered } from "./batches.ts";

export const gateOptions = z.strictObject({
  accuracy: z
    .number()
    .min(0)
    .max(1)
    .default(0.8)
    .describe("Share of the images that the judge must take for their class"),
  variance: z
    .number()
    .min(0)
    .default(0.5)
    .describe("Variance of a class's pixels, over that of its real images, that each class must reach"),
});

export type GateOptions = z.infer<typeof gateOptions>;

/** What was found of a pool, and whether that is enough. */
export interface Gate {
  readonly name: "accuracy" | "variance";
  /** Least value that passes. */
  readonly expected: number;
  /** Over all images; of variances the least of all classes. */
  readonly got: number;
  readonly passed: boolean;
  /** The same of each class's images, in label order. */
  readonly perClass: readonly number[];
}

/**
 * Whether images of a pool are what their classes say, to a network that was trained on real images alone, and as diverse
 * as a pool must be.
 *
 * @param pool of the same classes as `real`.
 */
export function gatesOf(
  { pool, real, judge }: { readonly pool: Dataset; readonly real: Dataset; readonly judge: Model },
  engine: Engine,
  { accuracy: leastAccuracy, variance: leastVariance }: GateOptions,
): readonly [accuracy: Gate, variance: Gate] {
  const test = testSet({ ...pool, mean: real.mean, std: real.std }, engine);
  const judged = accuracy(judge, test);
  disposeTestSet(test);
  const ratios = varianceRatios(pool, real);
  const least = Math.min(...ratios);
  return [
    {
      name: "accuracy",
      expected: leastAccuracy,
      got: judged.accuracy,
      passed: judged.accuracy >= leastAccuracy,
      perClass: judged.perClass,
    },
    {
      name: "variance",
      expected: leastVariance,
      got: least,
      passed: least >= leastVariance,
      perClass: ratios,
    },
  ];
}

/**
 * Mean over pixels of the variance over a class's images, of a pool over that of the real ones; ∞ where real images do not
 * vary.
 *
 * @throws InputError where the pool has other classes.
 */
export function varianceRatios(pool: Dataset, real: Dataset): number[] {
  check(
    pool.classNames.length === real.classNames.length && countOf(pool) > 0,
    () =>
      `varianceRatios: expected images of ${real.classNames.length} classes, got ${pool.classNames.length}`,
  );
  const [own, theirs] = [classVariances(pool), classVariances(real)];
  return own.map((variance, label) => (theirs[label] === 0 ? Infinity : variance / theirs[label]!));
}

/** Mean over pixels of the variance over each class's images, with pixels from −1 to 1. */
function classVariances(dataset: Dataset): number[] {
  const images = centered(dataset);
  const size = sizeOf(dataset.imageShape);
  const one = new Float32Array(size);
  return classIndices(dataset).map((members) => {
    const [sums, squares] = [new Float64Array(size), new Float64Array(size)];
    for (const at of members) {
      normalized(images, [at], one);
      one.forEach((value, i) => {
        sums[i]! += value;
        squares[i]! += value * value;
      });
    }
    const n = Math.max(1, members.length);
    const variances = squares.map((square, i) => Math.max(0, square / n - (sums[i]! / n) ** 2));
    return variances.reduce((total, variance) => total + variance, 0) / size;
  });
}
