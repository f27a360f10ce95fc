import { check } from "../core/errors.ts";

// Scores of DD-Ranking (Li et al. 2025), which hold a synthetic set against random real images of the same number under the
// same recipe, so that what soft labels and augmentation give to any images does not count for the method.

/** How much two sides of a score count. */
export interface RankingWeights {
  /** w of α, in [0, 1]: of the improvement over random images against the recovery under hard labels. */
  readonly label: number;
  /** γ of β, in [0, 1]: of training with augmentation against training without. */
  readonly augmentation: number;
}

/** The weights of the published scores. */
export const rankingWeights: RankingWeights = { label: 0.5, augmentation: 0.5 };

/** Test accuracies of networks on synthetic images and on random real ones of the same number, fractions in [0, 1]. */
export interface AgainstRandom {
  /** Trained on the synthetic images. */
  readonly synthetic: number;
  /** Trained on random real images, by the same recipe. */
  readonly random: number;
}

/** Test accuracies that the scores of one set are computed from, fractions in [0, 1]. */
export interface RankingAccuracies {
  /** Of a network that is trained on all real images with their labels. */
  readonly realHard: number;
  /** Of one that is trained on the synthetic images with hard labels. */
  readonly syntheticHard: number;
  /** By the method's own labels, hard or soft, with augmentation. */
  readonly augmented: AgainstRandom;
  /** The same without augmentation. */
  readonly plain: AgainstRandom;
}

/** Scores of one set. */
export interface RankingScores {
  /** Hard label recovery, in [−1, 1]; the smaller, the better. */
  readonly hlr: number;
  /** Improvement over random, in [−1, 1]. */
  readonly ior: number;
  /** α of the label-robust score, in [−1, 1]. */
  readonly alpha: number;
  /** Label-robust score, in [0, 1]. */
  readonly lrs: number;
  /** β of the augmentation-robust score, in [−1, 1]. */
  readonly beta: number;
  /** Augmentation-robust score, in [0, 1]. */
  readonly ars: number;
}

/**
 * Hard label recovery, HLR = acc(real, hard) − acc(synthetic, hard): what is lost by the images alone, without soft labels.
 *
 * @param realHard test accuracy, a fraction in [0, 1]. @param syntheticHard the same.
 * @returns in [−1, 1]; 0 where synthetic images are as good as all real ones.
 * @throws InputError for percentages, and what is no number.
 */
export function hardLabelRecovery(realHard: number, syntheticHard: number): number {
  return fraction("realHard", realHard) - fraction("syntheticHard", syntheticHard);
}

/**
 * Improvement over random, IOR = acc(synthetic) − acc(random), both by one recipe.
 *
 * @returns in [−1, 1]; 0 in expectation where the synthetic images are random real ones themselves.
 * @throws InputError for percentages, and what is no number.
 */
export function improvementOverRandom({ synthetic, random }: AgainstRandom): number {
  return fraction("synthetic", synthetic) - fraction("random", random);
}

/**
 * α = w·IOR − (1 − w)·HLR.
 *
 * @param weight w in [0, 1].
 * @returns in [−1, 1].
 * @throws InputError for values outside their ranges.
 */
export function labelRobustness(
  { hlr, ior }: Pick<RankingScores, "hlr" | "ior">,
  weight: number = rankingWeights.label,
): number {
  weightOf("label", weight);
  return weight * difference("ior", ior) - (1 - weight) * difference("hlr", hlr);
}

/**
 * β = γ·IOR with augmentation + (1 − γ)·IOR without.
 *
 * @param weight γ in [0, 1].
 * @returns in [−1, 1]; 0 where synthetic images do as random ones do.
 * @throws InputError for values outside their ranges.
 */
export function augmentationRobustness(
  { augmented, plain }: Pick<RankingAccuracies, "augmented" | "plain">,
  weight: number = rankingWeights.augmentation,
): number {
  weightOf("augmentation", weight);
  return weight * improvementOverRandom(augmented) + (1 - weight) * improvementOverRandom(plain);
}

/**
 * LRS of α, and ARS of β:
 *
 *     score(x) = (eˣ − e⁻¹) / (e − e⁻¹)
 *
 * It grows with x: score(−1) = 0, score(1) = 1. It is not linear, and its middle is not at 0: score(0) = 0.2689, the ARS of
 * random images, and score(x) = 0.5 at x = 0.4338. Boards print it in percent.
 *
 * @param robustness α or β, in [−1, 1].
 * @returns in [0, 1].
 * @throws InputError for values outside, as percentages give them.
 */
export function robustScore(robustness: number): number {
  return (Math.exp(difference("robustness", robustness)) - 1 / Math.E) / (Math.E - 1 / Math.E);
}

/** All scores of a set from the accuracies of its networks. @throws InputError for percentages, and what is no number. */
export function rankingScores(
  accuracies: RankingAccuracies,
  weights: RankingWeights = rankingWeights,
): RankingScores {
  const hlr = hardLabelRecovery(accuracies.realHard, accuracies.syntheticHard);
  const ior = improvementOverRandom(accuracies.augmented);
  const alpha = labelRobustness({ hlr, ior }, weights.label);
  const beta = augmentationRobustness(accuracies, weights.augmentation);
  return { hlr, ior, alpha, lrs: robustScore(alpha), beta, ars: robustScore(beta) };
}

function fraction(name: string, value: number): number {
  check(value >= 0 && value <= 1, () => {
    const percent = value > 1 && value <= 100 ? "; divide percentages by 100" : "";
    return `ranking.${name}: expected fractions in [0, 1], got ${value}${percent}`;
  });
  return value;
}

function difference(name: string, value: number): number {
  check(value >= -1 && value <= 1, () => {
    const percent = Math.abs(value) <= 100 ? "; take accuracies as fractions, not as percentages" : "";
    return `ranking.${name}: expected a number in [−1, 1], got ${value}${percent}`;
  });
  return value;
}

function weightOf(name: keyof RankingWeights, value: number): void {
  check(value >= 0 && value <= 1, () => `ranking.weights.${name}: expected a number in [0, 1], got ${value}`);
}
