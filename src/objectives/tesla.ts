import { z } from "zod";
import { check } from "../core/errors.ts";
import type { Tensor } from "../engines/index.ts";
import { mttOptions, wholePath } from "./mtt.ts";
import type { Learned, Objective } from "./objective.ts";
import type { Segment } from "./segments.ts";
import { chunksOf } from "../training/parameterGradient.ts";
import { trajectoryMatching } from "./trajectoryMatching.ts";
import { gradientOption, gradientText } from "./trajectoryOptions.ts";

export const teslaOptions = mttOptions.extend({
  gradient: gradientOption.default("tesla").describe(gradientText),
  softLabels: z
    .boolean()
    .default(false)
    .describe("Labels are what the expert at the segment's end says of the images, as for ImageNet-1K"),
});

/**
 * TESLA (Cui, Wang, Si & Hsieh, ICML 2023): trajectory matching in constant memory, by the gradient of its code, which holds
 * every θᵢ of the student's path constant,
 *
 *     ∂L/∂x ≈ Σᵢ ∂/∂xᵢ ⟨u, gᵢ⟩,   u = 2(βD + β²G)/‖D‖²,   D = θ* − θ₀,  G = Σᵢ gᵢ.
 *
 * The paper calls it exact; what is left out is how earlier steps move later ones. `gradient: exact` has the same memory and
 * nearly the same work. Its code loses the factor 2 in the images' gradient: its rates of the images are twice ours.
 *
 * Soft labels are y = softmax(net(θ*, X)), constants in each step; those of the last expert are handed out with the images.
 */
export function tesla(options: z.infer<typeof teslaOptions>): Objective {
  const path = wholePath(options);
  if (!options.softLabels) return trajectoryMatching({ ...options, name: "tesla", matchings: [path] });
  return trajectoryMatching({
    ...options,
    name: "tesla",
    matchings: [{ ...path, labels: taughtLabels }],
    begin(source) {
      check(
        source.partition === undefined,
        () =>
          "objective.softLabels: expected whole images, got mosaics, of which the expert knows the cells only; take one out",
      );
      return {};
    },
    after: (learned, { segments }) => ({ softLabels: taughtLabels(learned, segments[0]!) }),
    result: (learned, { softLabels }) => ({
      ...learned,
      ...(softLabels !== undefined && { softLabels: softLabels as Tensor }),
    }),
  });
}

/** What the expert at a segment's end says of all images as they are, [n, classes]; constants. */
function taughtLabels({ images }: Learned, { network, target }: Segment): Tensor {
  const { engine } = images;
  const unlabeled = new Int32Array(images.shape[0]!);
  return engine.scope(() =>
    engine.noGrad(() => {
      const chunks = chunksOf(network, { images: images.detach(), labels: unlabeled });
      return engine.concat(chunks.map((chunk) => network.logits(target, chunk.images).logSoftmax().exp()));
    }),
  );
}
