import { bind } from "../core/shape.ts";
import type { Tensor } from "../engines/index.ts";
import { classMeans } from "./segments.ts";

/**
 * Squared distance between the means of two samples (DM, Zhao and Bilen, WACV 2023; from its code):
 *
 *     L = ‖1/n Σᵢ xᵢ − 1/m Σⱼ yⱼ‖²
 *
 * @param real embeddings of real images of one class, [n, d].
 * @param synthetic embeddings of synthetic ones, [m, d].
 * @returns scalar ≥ 0: a sum over the d components, not a mean.
 */
export function meanDiscrepancy(real: Tensor, synthetic: Tensor): Tensor {
  bind("meanDiscrepancy", [real, "n d"], [synthetic, "m d"]);
  return real.mean(0).sub(synthetic.mean(0)).square().sum();
}

/**
 * `meanDiscrepancy` summed over classes, for features stacked class-major: the loss of a DM step.
 *
 * @param realMeans mean embedding of each class's real images, [classes, d].
 * @param synthetic [Σ counts, d]. @param counts synthetic rows of each class.
 * @returns scalar ≥ 0.
 * @throws InputError if counts and rows disagree, or the two sides differ in classes.
 */
export function classMeanDiscrepancy(
  realMeans: Tensor,
  synthetic: Tensor,
  counts: readonly number[],
): Tensor {
  const means = classMeans(synthetic, counts);
  bind("classMeanDiscrepancy", [realMeans, "classes d"], [means, "classes d"]);
  return realMeans.sub(means).square().sum();
}
