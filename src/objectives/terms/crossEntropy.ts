import { z } from "zod";
import type { Tensor } from "../../engines/index.ts";
import { crossEntropy } from "../../losses/crossEntropy.ts";
import type { MatchingNetworks } from "../networkSources/index.ts";
import type { Source } from "../objective.ts";
import { eachClass, type SyntheticClasses, type Term, termWeight, withoutReal } from "../term.ts";

export const crossEntropyOptions = z.strictObject({
  weight: termWeight,
  judge: z
    .enum(["matching", "trained"])
    .default("matching")
    .describe(
      "Which network classifies: the one that embeds, or the trained one beside it, where the source of networks has one",
    ),
  factor: z
    .enum(["none", "accuracyPercent"])
    .default("none")
    .describe(
      "accuracyPercent: times the matching network's running training accuracy in percent, as IDM's code has it, so that " +
        "weight 0.5 comes to 30 at 60 %, and to nothing for a network that was not trained",
    ),
});

/**
 * Cross-entropy of the synthetic images under a network that knows the classes, summed over classes:
 *
 *     L = a · Σ_c 1/m_c Σᵢ −log softmax(h(sᵢ))_c
 *
 * IDM's regularization under its queue's networks (Zhao et al., CVPR 2023), where a is their accuracy, and NCFM's calibration
 * by a trained network (Wang et al., CVPR 2025), where a is 1.
 */
export function crossEntropyTerm({ weight, judge, factor }: z.infer<typeof crossEntropyOptions>): Term {
  return {
    weight,
    prepare: ({ source, networks }) => {
      const a = factor === "none" ? 1 : 100 * networks.accuracy;
      if (a === 0) return withoutReal({ loss: ({ values }) => values.engine.fill([], 0) });
      return withoutReal({
        loss(synthetic) {
          const logits = logitsOf(source, networks, judge, synthetic);
          const losses = eachClass({ ...synthetic, values: logits }).map(({ label, values }) =>
            crossEntropy(values, new Int32Array(values.shape[0]!).fill(label)),
          );
          return losses.reduce((total, loss) => total.add(loss)).mul(a);
        },
      });
    },
  };
}

function logitsOf(
  { network }: Source,
  { parameters, classifier }: MatchingNetworks,
  judge: "matching" | "trained",
  { values, images }: SyntheticClasses,
): Tensor {
  if (judge === "matching" || classifier === undefined) return network.classify(parameters, values);
  return network.logits(classifier, images);
}
