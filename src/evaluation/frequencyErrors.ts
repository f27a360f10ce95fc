import { kernelOf, type StationaryKernel, type StationaryKernelChoice } from "../../kernels/index.ts";
import { wholeNumber } from "../core/errors.ts";
import type { Rng } from "../core/rng.ts";
import type { Tensor } from "../engines/index.ts";
import { characteristicFunction, squaredDifference } from "../losses/characteristic.ts";
import { bandwidthOptions, lengthsOf } from "../objectives/bandwidth.ts";
import { type ClassSamples, type FeatureComparison, throughNetworks } from "./classFeatures.ts";
import { mean } from "./statistics.ts";

/** Draws frequencies of a kernel, [count, width], from its law: independently, or in a structure. */
export type FrequencyDraw = (
  kernel: StationaryKernel,
  count: number,
  width: number,
  rng: Rng,
) => Float32Array;

/** A synthetic set beside real images, and the estimates whose errors are to be known. */
export interface FrequencyComparison extends Omit<FeatureComparison, "networks"> {
  /** Kernels whose scales are in units of the median distance between real features. */
  readonly kernels: readonly StationaryKernelChoice[];
  /** Numbers of frequencies M. Default 16, 64, 256, 1024, 4096. */
  readonly counts?: readonly number[];
  /** Draws of each number. Default 8. */
  readonly repeats?: number;
  /** How they are drawn. Default: independently. */
  readonly draw?: FrequencyDraw;
}

/** Errors of the estimates of one kernel's squared MMD. */
export interface KernelErrors {
  /** Name of the kernel. */
  readonly kernel: string;
  /** Numbers of frequencies M. */
  readonly counts: readonly number[];
  /** Relative error at each: root of the mean square over classes and draws. */
  readonly errors: readonly number[];
  /** What independent frequencies have in theory, by the variance between those of the largest number. */
  readonly expected: readonly number[];
}

const COUNTS = [16, 64, 256, 1024, 4096] as const;
const REPEATS = 8;
/** Rows of a kernel's matrix at a time: kernels of ‖·‖₁ hold every coordinate difference. */
const ROWS = 16;

/**
 * How far spectral estimates of the squared MMD between synthetic and held-out real images of each class are from its exact
 * value, on the features of a fresh random network:
 *
 *     SDD_M = 1/M Σ_m |Φ_real(ω_m) − Φ_synthetic(ω_m)|²,   E SDD_M = MMD²,   Var SDD_M = Var_ω |Φ_real − Φ_synthetic|² / M
 *
 * Both have their diagonals (the V-statistic). The error √E(SDD_M/MMD² − 1)² of independent frequencies falls as 1/√M.
 *
 * @returns one entry for each kernel.
 * @throws InputError where shapes or classes of the sets differ, or a count is below 1.
 */
export function frequencyErrors(comparison: FrequencyComparison): KernelErrors[] {
  const { kernels, counts = COUNTS, repeats = REPEATS } = comparison;
  wholeNumber("frequencyErrors.repeats", repeats, 1);
  counts.forEach((count) => wholeNumber("frequencyErrors.counts", count, 1));
  const draw = comparison.draw ?? ((kernel, count, width, rng) => kernel.frequencies(count, width, rng));
  const found: KernelErrors[] = [];
  throughNetworks({ ...comparison, networks: 1 }, ({ points, rng, eachClass }) => {
    for (const choice of kernels) {
      const lengths = comparison.engine.scope(() => lengthsOf(bandwidthOptions.parse({}), choice, points));
      const kernel = kernelOf(choice, lengths);
      const classes: ClassErrors[] = [];
      // Every class sees the same draws.
      eachClass((samples) =>
        classes.push(errorsIn(samples, kernel, { counts, repeats, draw, rng: rng.stream(choice.name) })),
      );
      const rootMeanSquare = (values: (own: ClassErrors) => number): number =>
        Math.sqrt(mean(classes.map(values)));
      found.push({
        kernel: choice.name,
        counts,
        errors: counts.map((_, i) => rootMeanSquare(({ squares }) => squares[i]!)),
        expected: counts.map((count) => rootMeanSquare(({ variance }) => variance / count)),
      });
    }
  });
  return found;
}

interface Draws {
  readonly counts: readonly number[];
  readonly repeats: number;
  readonly draw: FrequencyDraw;
  readonly rng: Rng;
}

/** Relative to the squared MMD of the class, squared. */
interface ClassErrors {
  /** Mean square error at each number of frequencies. */
  readonly squares: readonly number[];
  /** Variance of |Φ − Φ|² between frequencies. */
  readonly variance: number;
}

function errorsIn(
  { test, synthetic }: ClassSamples,
  kernel: StationaryKernel,
  { counts, repeats, draw, rng }: Draws,
): ClassErrors {
  const { engine } = test;
  const [n, width] = test.shape as [number, number];
  const m = synthetic.shape[0]!;
  const exact =
    meanGram(kernel, test, test) +
    meanGram(kernel, synthetic, synthetic) -
    2 * meanGram(kernel, test, synthetic);
  const both = engine.concat([test, synthetic]);
  const differences = (count: number, repeat: number): number[] =>
    engine.scope(() => {
      const drawn = draw(kernel, count, width, rng.stream(`${count}/${repeat}`));
      const { re, im } = characteristicFunction(both, engine.tensor([count, width], drawn), [n, m]);
      const side = (i: number) => ({ re: re.slice([i, 0], [1, count]), im: im.slice([i, 0], [1, count]) });
      return Array.from(squaredDifference(side(0), side(1)).values());
    });
  let variance = 0;
  const largest = Math.max(...counts);
  const squares = counts.map((count) => {
    const found = Array.from({ length: repeats }, (_, repeat) => differences(count, repeat));
    if (count === largest) variance = varianceOf(found.flat()) / exact ** 2;
    return mean(found.map((values) => (mean(values) / exact - 1) ** 2));
  });
  return { squares, variance };
}

/** Mean of k(xᵢ, yⱼ) over all pairs, some rows of x at a time. */
function meanGram(kernel: StationaryKernel, x: Tensor, y: Tensor): number {
  const [n, width] = x.shape as [number, number];
  let sum = 0;
  for (let from = 0; from < n; from += ROWS) {
    const rows = Math.min(ROWS, n - from);
    sum +=
      rows *
      x.engine.scope(() =>
        kernel
          .gram(x.slice([from, 0], [rows, width]), y)
          .mean()
          .item(),
      );
  }
  return sum / n;
}

function varianceOf(values: readonly number[]): number {
  const center = mean(values);
  return mean(values.map((value) => (value - center) ** 2));
}
