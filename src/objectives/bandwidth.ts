import { z } from "zod";
import {
  type KernelChoice,
  type Lengths,
  squaredDistances,
  type Unit,
  unitsOf,
} from "../../kernels/index.ts";
import { check, wholeNumber } from "../core/errors.ts";
import type { Tensor } from "../engines/index.ts";
import type { Term } from "./term.ts";

/** How a kernel's length follows the features, which differ in size from network to network. */
export const bandwidthOptions = z.strictObject({
  rule: z
    .enum(["median", "halfSquare", "fixed"])
    .default("median")
    .describe("ℓ = s·median(r), or s·√(median(r²)/2), which is √2 smaller, or s itself in feature units"),
  factor: z.number().positive().default(1).describe("s; the paper's sweep of scales is over this; > 0"),
  points: z
    .int()
    .min(2)
    .max(4096)
    .default(256)
    .describe("Real features that distances are taken between; >= 2"),
});

export type BandwidthOptions = z.infer<typeof bandwidthOptions>;

/** How a term picks the real features that a kernel's lengths are measured on; nothing, where none are. */
export function pickOf({ rule, points }: BandwidthOptions, kernel: KernelChoice): Pick<Term, "pick"> {
  if (rule === "fixed" || unitsOf(kernel).length === 0) return {};
  return { pick: (count, rng) => rng.stream("bandwidth").permutation(count).subarray(0, points) };
}

/**
 * The lengths that a scale of 1 stands for in a step: of each distance that the kernel measures in, and of the Euclidean
 * one beside ‖·‖₁, as `meanScale` takes it. NaN for a distance that is not measured.
 *
 * @param points some of the step's real features, [points, d]; absent where none are picked.
 */
export function lengthsOf(options: BandwidthOptions, kernel: KernelChoice, points?: Tensor): Lengths {
  const units = unitsOf(kernel);
  const length = (unit: Unit, asked: boolean): number =>
    asked ? bandwidth(options, points ? distancesBetween(points, unit) : new Float64Array(0)) : NaN;
  return { l2: length("l2", units.length > 0), l1: length("l1", units.includes("l1")) };
}

/** The lengths that were measured as columns of the log. */
export function lengthMetrics({ l2, l1 }: Lengths): Record<string, number> {
  return { ...(!Number.isNaN(l2) && { bandwidth: l2 }), ...(!Number.isNaN(l1) && { bandwidthL1: l1 }) };
}

/**
 * Length of a kernel from the distances between real features. It is a number, so no gradient flows through it.
 *
 * @param distances r between pairs of `pairDistances`, each pair once. Not looked at by the rule "fixed".
 * @returns ℓ > 0, in feature units.
 * @throws InputError where half the features are equal, so that the median is 0.
 */
export function bandwidth({ rule, factor }: BandwidthOptions, distances: Float64Array): number {
  if (rule === "fixed") return factor;
  const [low, high] = middle(distances);
  const r = (low + high) / 2;
  check(
    r > 0 && Number.isFinite(r),
    () => `bandwidth: expected features with a median distance > 0, got ${r}; the network may be dead`,
  );
  // Squaring keeps the order, so the same two are in the middle of the squares.
  return rule === "median" ? factor * r : factor * Math.sqrt((low ** 2 + high ** 2) / 4);
}

/**
 * Distances between all pairs of rows, each pair once.
 *
 * @param features row-major, [n, width].
 * @param unit of the distance.
 * @returns [n(n − 1)/2].
 */
export function pairDistances(features: ArrayLike<number>, width: number, unit: Unit): Float64Array {
  wholeNumber("pairDistances.width", width, 1);
  const n = features.length / width;
  check(
    Number.isInteger(n) && n > 1,
    () => `pairDistances: expected at least 2 rows of ${width}, got ${features.length} numbers`,
  );
  const between = unit === "l2" ? euclidean : manhattan;
  const found = new Float64Array((n * (n - 1)) / 2);
  let pair = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) found[pair++] = between(features, i * width, j * width, width);
  }
  return found;
}

/** The two middle values; of an odd number, the middle one twice. */
function middle(values: Float64Array): [low: number, high: number] {
  check(values.length > 0, () => "bandwidth: expected at least one distance, got none");
  if (values.includes(NaN)) return [NaN, NaN];
  const half = values.length >> 1;
  const parted = partedAt(half, values.slice());
  const high = parted[half]!;
  const low = values.length % 2 === 1 ? high : parted.subarray(0, half).reduce((a, b) => Math.max(a, b));
  return [low, high];
}

/**
 * Reorders values so that at a position stands what would if they were sorted, and before it nothing larger: Hoare's
 * selection, which takes linear time.
 */
function partedAt(position: number, values: Float64Array): Float64Array {
  let [left, right] = [0, values.length - 1];
  while (left < right) {
    const pivot = values[(left + right) >> 1]!;
    let [i, j] = [left, right];
    while (i <= j) {
      while (values[i]! < pivot) i++;
      while (values[j]! > pivot) j--;
      if (i > j) break;
      const held = values[i]!;
      values[i++] = values[j]!;
      values[j--] = held;
    }
    if (position <= j) right = j;
    else if (position >= i) left = i;
    else break; // between them all are equal to the pivot
  }
  return values;
}

/** Each pair once. */
function distancesBetween(points: Tensor, unit: Unit): Float64Array {
  const [count, width] = points.shape as [number, number];
  // Millions of coordinate differences: the engine's matrix product for ‖·‖₂, a plain loop where there is none for it.
  if (unit === "l1") return pairDistances(points.values(), width, unit);
  const matrix = squaredDistances(points, points).sqrt().values();
  const pairs = new Float64Array((count * (count - 1)) / 2);
  let pair = 0;
  for (let i = 0; i < count; i++) for (let j = 0; j < i; j++) pairs[pair++] = matrix[i * count + j]!;
  return pairs;
}

function euclidean(features: ArrayLike<number>, i: number, j: number, width: number): number {
  let sum = 0;
  for (let k = 0; k < width; k++) sum += (features[i + k]! - features[j + k]!) ** 2;
  return Math.sqrt(sum);
}

function manhattan(features: ArrayLike<number>, i: number, j: number, width: number): number {
  let sum = 0;
  for (let k = 0; k < width; k++) sum += Math.abs(features[i + k]! - features[j + k]!);
  return sum;
}
