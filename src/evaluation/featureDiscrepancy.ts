import { check } from "../core/errors.ts";
import { gaussian, type Kernel, squaredDistances } from "../../kernels/index.ts";
import { bandwidth, bandwidthOptions } from "../objectives/bandwidth.ts";
import { classCounts } from "../datasets/dataset.ts";
import type { Tensor } from "../engines/index.ts";
import { extentOf, type FeatureComparison, throughNetworks } from "./classFeatures.ts";
import { mean } from "./statistics.ts";

/** Lengths of the Gaussian kernels, in units of the median distance between real features. */
export const bandwidthFactors = [0.5, 1, 2] as const;

/** Discrepancies at each length of `bandwidthFactors`. */
export interface ClassDiscrepancies {
  /** Mean over the classes that the synthetic set has images of. */
  readonly overall: readonly number[];
  /** Of each class in label order; null where the synthetic set has no image of it. */
  readonly classes: readonly (readonly number[] | null)[];
}

/** How far a synthetic set is from held-out real images in feature space, and how far random real images are. */
export interface FeatureDiscrepancy {
  /** Architecture of the networks. */
  readonly network: string;
  /** How many there were. */
  readonly networks: number;
  /** Held-out images of each class that counted. */
  readonly testImages: readonly number[];
  /** Lengths of the kernels, in units of the median distance. */
  readonly factors: readonly number[];
  /** Of the synthetic images. */
  readonly synthetic: ClassDiscrepancies;
  /** Of as many random training images, for comparison. */
  readonly real: ClassDiscrepancies;
}

/**
 * Squared maximum mean discrepancy of each class between the synthetic images and the law of held-out real ones, under
 * Gaussian kernels on the features of fresh random networks, averaged over the networks:
 *
 *     MMD² = 1/n(n−1) Σ_{i≠j} k(xᵢ, xⱼ) + 1/m² Σ_{ij} k(yᵢ, yⱼ) − 2/nm Σ_{ij} k(xᵢ, yⱼ)
 *
 * The real images x are a sample of a law, so its diagonal is left out (the U-statistic of Gretton et al., JMLR 13, 2012);
 * the synthetic images y are all there are, a law of their own, so its diagonal stays. So it is unbiased for the squared
 * distance between the real law and the m synthetic images, and 0 in expectation for a set that stands for the law. Of m
 * random real images the expectation is (1 − E k(x, x'))/m: what `real` estimates, and what a method should be below.
 *
 * The same networks, held-out images and random subsets serve every set, so that discrepancies of sets can be compared
 * where the architecture and the number of images are the same.
 *
 * @throws InputError where shapes or classes of the sets differ, or half the features are equal.
 */
export function featureDiscrepancy(comparison: FeatureComparison): FeatureDiscrepancy {
  const classes = comparison.splits.test.classNames.length;
  const few = classCounts(comparison.splits.test).findIndex((count) => count < 2);
  check(
    few < 0,
    () =>
      `featureDiscrepancy: expected at least 2 held-out images of each class, got 1 of class ${few} ` +
      `(${comparison.splits.test.classNames[few]})`,
  );
  const found = { synthetic: emptyLists(classes), real: emptyLists(classes) };
  throughNetworks(comparison, ({ points, eachClass }) => {
    const kernels = kernelsFor(points);
    eachClass(({ label, test, synthetic, real }) => {
      const within = kernels.map((kernel) => meanOfPairs(kernel.gram(test, test)));
      const to = (images: Tensor): number[] =>
        kernels.map(
          ({ gram }, i) =>
            within[i]! + gram(images, images).mean().item() - 2 * gram(test, images).mean().item(),
        );
      found.synthetic[label]!.push(to(synthetic));
      found.real[label]!.push(to(real));
    });
  });
  return {
    network: comparison.network.name,
    ...extentOf(comparison),
    factors: bandwidthFactors,
    synthetic: averaged(found.synthetic),
    real: averaged(found.real),
  };
}

function emptyLists(count: number): number[][][] {
  return Array.from({ length: count }, () => []);
}

/** A Gaussian kernel for each factor, at the median distance between rows. */
function kernelsFor(points: Tensor): Kernel[] {
  const unit = medianDistance(points);
  return bandwidthFactors.map((factor) => gaussian({ scale: factor * unit }));
}

/** Median Euclidean distance between rows, each pair once. @throws InputError where it is 0. */
export function medianDistance(points: Tensor): number {
  const n = points.shape[0]!;
  const matrix = points.engine.scope(() => squaredDistances(points, points).values());
  const pairs = Array.from({ length: n }, (_, i) =>
    Array.from({ length: i }, (_, j) => Math.sqrt(matrix[i * n + j]!)),
  );
  return bandwidth(bandwidthOptions.parse({}), Float64Array.from(pairs.flat()));
}

/** Mean of a square matrix off its diagonal, whose entries are 1. */
function meanOfPairs(gram: Tensor): number {
  const n = gram.shape[0]!;
  return (gram.sum().item() - n) / (n * (n - 1));
}

/** Means over the networks, then over the classes that are known. */
function averaged(byClass: readonly (readonly (readonly number[])[])[]): ClassDiscrepancies {
  const classes = byClass.map((networks) =>
    networks.length === 0 ? null : bandwidthFactors.map((_, i) => mean(networks.map((own) => own[i]!))),
  );
  const known = classes.filter((own) => own !== null);
  check(known.length > 0, () => "featureDiscrepancy: expected synthetic images of some class, got none");
  return { overall: bandwidthFactors.map((_, i) => mean(known.map((own) => own[i]!))), classes };
}
