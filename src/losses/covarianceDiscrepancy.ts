import { bind, checkCounts } from "../core/shape.ts";
import type { Tensor } from "../engines/index.ts";
import { classCentered } from "./segments.ts";

/**
 * Second moments of each class's local features, image by image, with Tᵢ the features of an image:
 *
 *     1/n_c Σᵢ Tᵢ Tᵢᵀ
 *
 * @param locals class after class, [Σ counts, c, l]: c features at each of l places.
 * @param counts images of each class, ≥ 1.
 * @returns [counts.length, c, c].
 * @throws InputError if counts and images disagree.
 */
export function localMoments(locals: Tensor, counts: readonly number[]): Tensor {
  const { n, c, l } = bind("localMoments", [locals, "n c l"]) as { n: number; c: number; l: number };
  checkCounts("localMoments", counts, n);
  const k = counts.length;
  const m = counts[0]!;
  if (counts.every((count) => count === m)) {
    const columns = locals
      .reshape([k, m, c, l])
      .transpose([0, 2, 1, 3])
      .reshape([k, c, m * l]);
    return columns.matMul(columns.transpose([0, 2, 1])).div(m);
  }
  let begin = 0;
  const each = counts.map((count) => {
    begin += count;
    return localMoments(locals.slice([begin - count, 0, 0], [count, c, l]), [count]);
  });
  return locals.engine.concat(each);
}

/**
 * Covariances of each class's local features (IID, Deng et al., CVPR 2024; from its code), centered for each feature and
 * place over the class's images, and summed over places:
 *
 *     Cov_c = 1/n_c Σᵢ Zᵢ Zᵢᵀ,   Zᵢ = Tᵢ − 1/n_c Σⱼ Tⱼ
 *
 * Of one image it is 0. Arguments and result as in `localMoments`.
 */
export function localCovariances(locals: Tensor, counts: readonly number[]): Tensor {
  const { n, c, l } = bind("localCovariances", [locals, "n c l"]) as { n: number; c: number; l: number };
  return localMoments(classCentered(locals.reshape([n, c * l]), counts).reshape([n, c, l]), counts);
}

/**
 * The same covariances from moments that may have been taken in part by part: Cov = 1/n Σᵢ Tᵢ Tᵢᵀ − T̄ T̄ᵀ.
 *
 * @param moments [k, c, c], as of `localMoments`. @param means T̄ of each class, [k, c, l]. @returns [k, c, c].
 */
export function covariancesOf(moments: Tensor, means: Tensor): Tensor {
  bind("covariancesOf", [moments, "k c c"], [means, "k c l"]);
  return moments.sub(means.matMul(means.transpose([0, 2, 1])));
}

/**
 * Squared Frobenius distance between covariances of local features, summed over classes (IID, from its code):
 *
 *     L = Σ_c ‖ Cov_c(real) − Cov_c(synthetic) ‖²
 *
 * Its gradient in an image's features is 4/m_c (Cov_c(synthetic) − Cov_c(real)) Zᵢ.
 *
 * @param real covariances of each class, [k, c, c]. @param synthetic local features, class after class, [Σ counts, c, l].
 * @param counts synthetic images of each class, ≥ 1.
 * @returns scalar ≥ 0; for classes of one synthetic image a constant, without gradient.
 * @throws InputError if counts and images disagree, or the two sides differ in classes or features.
 */
export function covarianceDiscrepancy(real: Tensor, synthetic: Tensor, counts: readonly number[]): Tensor {
  const covariances = localCovariances(synthetic, counts);
  bind("covarianceDiscrepancy", [real, "classes c c"], [covariances, "classes c c"]);
  return real.sub(covariances).square().sum();
}
