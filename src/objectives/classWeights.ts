import { z } from "zod";
import { check, wholeNumber } from "../core/errors.ts";
import type { Chosen, OptionTable } from "../core/options.ts";

/** What rules read of each class. */
export interface ClassStatistics {
  /** Real images of each class in the training set, ≥ 1. */
  readonly counts: readonly number[];
  /** Samples that entered each class's characteristic function; by default the counts. */
  readonly samples?: readonly number[];
  /** `meanSimilarity` of each class, 0 to 1. */
  readonly similarity?: readonly number[];
}

/** Weights α of the amplitude part of the spectral distance, one for each class; the phase part has 1 − α. */
export type ClassWeights = (classes: ClassStatistics) => number[];

const alphaHead = z
  .number()
  .min(0.05)
  .max(0.95)
  .default(0.8)
  .describe(
    "α of the largest class; the smallest has 1 − α. The paper finds 0.7 to 0.9 best; below 0.5 turns the direction. " +
      "0.05 to 0.95: at 0 and 1 the distance has false zeros",
  );

const headOptions = z.strictObject({ alphaHead });

export const fixedOptions = z.strictObject({
  alpha: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe("α of every class; 0 and 1 leave one part out, for ablation; 0 to 1"),
});

/** The same α for every class: for balanced data, and to leave a part out. */
export function fixed({ alpha }: z.infer<typeof fixedOptions>): ClassWeights {
  return ({ counts }) => counts.map(() => alpha);
}

/**
 * Two groups, as the paper has it: head classes have α_h, tail classes 1 − α_h. The paper leaves the split open; here a
 * class is head if its count is at least the geometric mean of the largest and the smallest, under an exponential profile
 * the first half of the classes. Equal counts have ½.
 */
export function step({ alphaHead }: z.infer<typeof headOptions>): ClassWeights {
  return between(alphaHead, ({ counts }) =>
    counts.map((count) => (count ** 2 >= most(counts) * least(counts) ? 1 : 0)),
  );
}

/**
 * From 1 − α_h at the smallest class to α_h at the largest, linear in the logarithm of the count, and so linear in the
 * class under an exponential profile:
 *
 *     α_c = (1 − α_h) + (2α_h − 1) u_c,   u_c = ln(n_c/n_min)/ln(n_max/n_min)
 */
export function logarithmic({ alphaHead }: z.infer<typeof headOptions>): ClassWeights {
  return between(alphaHead, ({ counts }) => stretched(counts.map(Math.log)));
}

export const effectiveNumberOptions = z.strictObject({
  alphaHead,
  beta: z
    .number()
    .min(0)
    .lt(1)
    .default(0.999)
    .describe("β: a class saturates at about 1/(1 − β) images; 0 to below 1"),
});

/**
 * As `logarithmic`, of the effective number of samples (Cui et al., CVPR 2019) instead of the count:
 *
 *     u_c = ln(E_c/E_min)/ln(E_max/E_min),   E_c = (1 − β^n_c)/(1 − β)
 */
export function effectiveNumber({ alphaHead, beta }: z.infer<typeof effectiveNumberOptions>): ClassWeights {
  return between(alphaHead, ({ counts }) =>
    stretched(counts.map((n) => Math.log((1 - beta ** n) / (1 - beta)))),
  );
}

export const noiseAwareOptions = z.strictObject({
  alphaHead,
  stretch: z
    .boolean()
    .default(true)
    .describe(
      "Spread the factors over 0 to 1; false takes them as they are, so that few classes may reach 1 − α_h",
    ),
});

/**
 * Weighs amplitudes by how far they can be trusted: of an empirical |Φ_c|² of n samples, (1 − |Φ_c|²)/n is noise, the
 * larger share of it in small classes, while the phase part is unbiased. The weight is the Wiener factor
 *
 *     u_c = nA/(nA + 1 − A),   A = `meanSimilarity` of the class
 *
 * Meant for use with `unbiasedAmplitude` as the amplitude to match.
 *
 * @throws InputError without similarities.
 */
export function noiseAware({ alphaHead, stretch }: z.infer<typeof noiseAwareOptions>): ClassWeights {
  return between(alphaHead, ({ counts, samples = counts, similarity }) => {
    check(
      similarity?.length === counts.length && samples.length === counts.length,
      () =>
        `noiseAware: expected samples and similarity of ${counts.length} classes, got ${similarity?.length ?? 0}`,
    );
    const factors = samples.map((n, c) => {
      const a = similarity[c]!;
      check(a >= 0 && a <= 1, () => `noiseAware.similarity: expected 0 to 1, got ${a}`);
      return (n * a) / (n * a + 1 - a);
    });
    return stretch ? stretched(factors) : factors;
  });
}

/**
 * Mean kernel similarity of a class, as the unbiased mean of |Φ|² over frequencies, kept within what it estimates:
 *
 *     A = (n · mean_ω|Φ|² − 1)/(n − 1), in [0, 1]
 *
 * @param squaredAmplitude mean over frequencies of the empirical |Φ|².
 * @param samples n behind Φ, ≥ 1. One sample says nothing, and counts as noise alone: 0.
 */
export function meanSimilarity(squaredAmplitude: number, samples: number): number {
  wholeNumber("meanSimilarity.samples", samples, 1);
  if (samples === 1) return 0;
  return Math.min(1, Math.max(0, (samples * squaredAmplitude - 1) / (samples - 1)));
}

/** Rules by name. */
export const classWeights = {
  fixed: { options: fixedOptions, build: fixed },
  step: { options: headOptions, build: step },
  logarithmic: { options: headOptions, build: logarithmic },
  effectiveNumber: { options: effectiveNumberOptions, build: effectiveNumber },
  noiseAware: { options: noiseAwareOptions, build: noiseAware },
} as const satisfies OptionTable & Record<string, { build(options: never): ClassWeights }>;

/** A rule's name and options, as a config states them. */
export type ClassWeightsChoice = Chosen<typeof classWeights>;

/** The rule of a choice. */
export function classWeightsOf({ name, ...options }: ClassWeightsChoice): ClassWeights {
  // The choice pairs each name with its own options; the compiler cannot follow that through the table.
  const build = classWeights[name].build as (given: typeof options) => ClassWeights;
  return build(options);
}

/** (1 − α_h) + (2α_h − 1)u for positions u from 0 (tail) to 1 (head); ½ where all counts are equal. */
function between(alphaHead: number, positions: ClassWeights): ClassWeights {
  check(alphaHead >= 0.05 && alphaHead <= 0.95, () => `alphaHead: expected 0.05 to 0.95, got ${alphaHead}`);
  return (classes) => {
    classes.counts.forEach((count) => wholeNumber("classWeights.counts", count, 1));
    if (least(classes.counts) === most(classes.counts)) return classes.counts.map(() => 0.5);
    return positions(classes).map((u) => 1 - alphaHead + (2 * alphaHead - 1) * u);
  };
}

/** Values moved and scaled to span 0 to 1; ½ where they are equal. */
function stretched(values: readonly number[]): number[] {
  const span = most(values) - least(values);
  return values.map((value) => (span === 0 ? 0.5 : (value - least(values)) / span));
}

const least = (values: readonly number[]): number => Math.min(...values);
const most = (values: readonly number[]): number => Math.max(...values);
