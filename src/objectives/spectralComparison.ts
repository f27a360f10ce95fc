import { check } from "../core/errors.ts";
import type { Tensor } from "../engines/index.ts";
import {
  type Characteristic,
  characteristicFunction,
  squaredAmplitude,
  unbiasedAmplitude,
} from "../losses/characteristic.ts";
import { rootSpectralDiscrepancy } from "../losses/rootSpectralDiscrepancy.ts";
import { spectralDiscrepancy, unbiasedSpectralDiscrepancy } from "../losses/spectralDiscrepancy.ts";
import {
  type ClassStatistics,
  type ClassWeightsChoice,
  classWeightsOf,
  meanSimilarity,
} from "./classWeights.ts";
import { featuresOf } from "./features.ts";
import type { Source } from "./objective.ts";
import { type ClassFeatures, type Comparison, type RealImages, rowsOf } from "./term.ts";

/** The options of a spectral term that say how it compares. */
export interface ComparisonOptions {
  readonly features: "raw" | "unit";
  readonly distance: "squared" | "root";
  readonly estimator: "biased" | "unbiased";
  readonly weighting: ClassWeightsChoice;
  readonly amplitudeTarget: "empirical" | "unbiased";
}

/** How a step compares the characteristic functions of real and synthetic images. */
export interface SpectralComparison {
  /** Φ of classes, by their features, at frequencies [f, d]. */
  characteristic(features: Pick<ClassFeatures, "values" | "counts">, frequencies: Tensor): Characteristic;
  /** Quantities worth a column in the log, by name. */
  readonly metrics: Readonly<Record<string, number>>;
  /** α of every class, by P of all of them. */
  alphaOf(real: Characteristic): readonly number[];
  /** The loss between P and Q of some classes, with as many synthetic images as `rows` counts, by the α of all classes. */
  loss(
    real: Characteristic,
    synthetic: Characteristic,
    rows: Pick<ClassFeatures, "classes" | "counts">,
    alpha: readonly number[],
  ): Tensor;
}

/** @param found.scale s, the factor of the loss. @param found.metrics of the step, for the log. */
export function spectralComparison(
  options: ComparisonOptions,
  { source, counts }: RealImages,
  { scale, metrics }: { readonly scale: number; readonly metrics: Readonly<Record<string, number>> },
): SpectralComparison {
  const alphaOf = classWeightsOf(options.weighting);
  const discrepancy = options.distance === "root" ? rootSpectralDiscrepancy : spectralDiscrepancy;
  const target = (real: Characteristic, classes: readonly number[]): Tensor =>
    unbiasedAmplitude(
      real,
      classes.map((label) => counts[label]!),
    );
  return {
    characteristic: (own, frequencies) =>
      characteristicFunction(featuresOf(own.values, options.features), frequencies, own.counts),
    metrics,
    alphaOf: (real) => alphaOf(classStatistics(real, counts, source)),
    loss(real, synthetic, { classes, counts: own }, alpha) {
      if (options.estimator === "unbiased") {
        checkEven(alpha);
        const behind = { real: classes.map((label) => counts[label]!), synthetic: own };
        return unbiasedSpectralDiscrepancy(real, synthetic, behind).mul(scale / 2);
      }
      return discrepancy(real, synthetic, {
        amplitude: classes.map((label) => alpha[label]!),
        ...(options.amplitudeTarget === "unbiased" && { target: target(real, classes) }),
      }).mul(scale);
    },
  };
}

/** The unbiased estimate does not tell amplitudes from phases. */
function checkEven(alpha: readonly number[]): void {
  const uneven = alpha.find((one) => Math.abs(one - 0.5) > 1e-9);
  check(
    uneven === undefined,
    () =>
      `estimator: unbiased takes amplitudes and phases together, at α = ½ of every class, got α = ${uneven}; ` +
      "set weighting to { name: fixed, alpha: 0.5 }",
  );
}

/** What the synthetic images are compared with: P of all classes at the step's frequencies, [f, d]. */
export function comparisonWith(
  real: Characteristic,
  frequencies: Tensor,
  comparison: SpectralComparison,
): Comparison & { readonly alpha: readonly number[] } {
  const alpha = comparison.alphaOf(real);
  return {
    alpha,
    loss(synthetic) {
      const { classes } = synthetic;
      const own = { re: rowsOf(real.re, classes), im: rowsOf(real.im, classes) };
      return comparison.loss(own, comparison.characteristic(synthetic, frequencies), synthetic, alpha);
    },
    metrics: { ...comparison.metrics, alphaFirst: alpha[0]!, alphaLast: alpha.at(-1)! },
  };
}

function classStatistics(
  phi: Characteristic,
  samples: readonly number[],
  { classes }: Source,
): ClassStatistics {
  return {
    counts: classes.map((members) => members.length),
    samples,
    // One rule reads it; the others need not wait for the device.
    get similarity() {
      const squared = squaredAmplitude(phi).mean(1).values();
      return samples.map((n, label) => meanSimilarity(squared[label]!, n));
    },
  };
}
