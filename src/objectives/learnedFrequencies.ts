import type { Tensor } from "../engines/index.ts";
import type { SampledFrequencies } from "./samplingNetwork.ts";
import { comparisonWith, type SpectralComparison } from "./spectralComparison.ts";
import { eachClass, type Fold, keptFeatures } from "./term.ts";

/**
 * The fold of a spectral term whose frequencies learn. How the loss moves with ω depends on the real features and on the
 * synthetic images at the end of the step, so that the features are kept until then: the memory of a step grows by all its
 * real embeddings.
 *
 * @param counts real images of each class. @param weight factor of the term.
 */
export function learningFold(
  comparison: SpectralComparison,
  sampled: SampledFrequencies,
  { counts, weight }: { readonly counts: readonly number[]; readonly weight: number },
): Fold<Readonly<Record<number, readonly Tensor[]>>> {
  const omega = sampled.values;
  const { engine } = omega;
  return keptFeatures((kept) => {
    const own = (label: number): { values: Tensor; counts: readonly number[] } => ({
      values: kept(label),
      counts: [counts[label]!],
    });
    const each = counts.map((_, label) => engine.scope(() => comparison.characteristic(own(label), omega)));
    const real = { re: engine.concat(each.map(({ re }) => re)), im: engine.concat(each.map(({ im }) => im)) };
    const matching = comparisonWith(real, omega, comparison);
    return {
      ...matching,
      metrics: { ...matching.metrics, ...sampled.metrics },
      after(synthetic) {
        const losses = eachClass(synthetic).map(({ label, values }) => (at: Tensor): Tensor => {
          const rows = { classes: [label], counts: [values.shape[0]!] };
          const other = comparison.characteristic({ values, ...rows }, at);
          return comparison
            .loss(comparison.characteristic(own(label), at), other, rows, matching.alpha)
            .mul(weight);
        });
        return sampled.ascended(slopeOf(losses, omega));
      },
    };
  });
}

/** Gradient of a sum at one point, one of its terms at a time: each holds a table of all its angles. */
function slopeOf(losses: readonly ((omega: Tensor) => Tensor)[], omega: Tensor): Tensor {
  const { engine } = omega;
  return losses.reduce(
    (total, loss) => {
      const next = engine.scope(() => total.add(engine.gradients((at) => loss(at!), [omega]).gradients[0]!));
      total.dispose();
      return next;
    },
    engine.fill(omega.shape, 0),
  );
}
