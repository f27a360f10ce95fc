import { z } from "zod";
import { classCentralization } from "../../losses/classCentralization.ts";
import { networkPreferring } from "../../networks/index.ts";
import { pretrainedModel, pretraining, pretrainingOptions } from "../pretraining.ts";
import { type Term, termWeight, withoutReal } from "../term.ts";

export const classCentralizationOptions = z.strictObject({
  weight: termWeight
    .unwrap()
    .default(0.05)
    .describe("Factor λ of the term; 0 leaves it out. IID's code has 0.05 on DM, and 0.01 on IDM"),
  form: z
    .enum(["quadratic", "hingeExp"])
    .default("quadratic")
    .describe("What counts of a squared distance d: d, as in IID's code, or max(0, e^(a·d) − beta)"),
  a: z.number().positive().default(0.02).describe("Of hingeExp, per squared feature unit"),
  beta: z.number().min(0).default(1).describe("Of hingeExp; the margin is ln(beta)/a, and 0 at 1"),
  center: z
    .enum(["moving", "fixed"])
    .default("moving")
    .describe(
      "Whether gradients flow through the center of a class, too; makes a difference to hingeExp only",
    ),
  extractor: pretrainingOptions
    .extend({
      network: networkPreferring({ name: "resNet18" }).describe("Architecture of the extractors"),
    })
    .prefault({})
    .describe(
      "Networks trained on the real images, which give the features; each step draws one for all classes",
    ),
});

/**
 * Class centralization (IID, Deng et al., CVPR 2024): features g of a class's synthetic images under a frozen network that
 * was trained on the real ones, another architecture than that of the matching, shall lie together:
 *
 *     L = Σ_c Σᵢ ‖ g(A_c(sᵢ)) − 1/m_c Σⱼ g(A_c(sⱼ)) ‖²
 *
 * Batch norm of an extractor uses its running statistics.
 */
export function classCentralizationTerm({
  weight,
  extractor,
  ...centralization
}: z.infer<typeof classCentralizationOptions>): Term {
  const preparation = pretraining(extractor);
  return {
    weight,
    preparations: [preparation],
    prepare({ source }, rng) {
      const index = rng.stream("extractor").integer(extractor.models);
      const { network, trained, statistics, accuracy } = pretrainedModel(source, preparation, index);
      return withoutReal({
        loss({ images, counts }) {
          const features = network.embed(trained, images, { use: "running", statistics });
          return classCentralization(features, counts, centralization);
        },
        metrics: { extractorAccuracy: accuracy },
      });
    },
  };
}
