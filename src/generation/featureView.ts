import { sizeOf } from "../core/shape.ts";
import { classIndices, type Dataset, normalized } from "../datasets/dataset.ts";
import type { Engine, Tensor } from "../engines/index.ts";
import type { PretrainedModel } from "../objectives/pretraining.ts";
import { centered } from "./batches.ts";

/** What images are compared by. */
export interface FeatureView {
  /** Images with pixels from −1 to 1, [n, h, w, c], and the class of each, as features [n, d]. */
  of(images: Tensor, classes: Int32Array): Tensor;
  /** What it reads, for its owner to free. */
  readonly tensors: readonly Tensor[];
}

/** Pixels as they are. */
export const plainView: FeatureView = { of: pixelRows, tensors: [] };

function pixelRows(images: Tensor): Tensor {
  const [n, ...shape] = images.shape;
  return images.reshape([n!, sizeOf(shape)]);
}

/** Pixels less the mean real image of their class: else the angle between two images is that between their mean colors. */
export function classMeanView(engine: Engine, real: Dataset): FeatureView {
  const means = engine.tensor([real.classNames.length, sizeOf(real.imageShape)], classMeans(real));
  return {
    of: (images, classes) => pixelRows(images).sub(means.gather(engine.indices(classes))),
    tensors: [means],
  };
}

/** Mean image of each class with pixels from −1 to 1, [classes, h·w·c]. */
function classMeans(real: Dataset): Float64Array {
  const images = centered(real);
  const size = sizeOf(real.imageShape);
  const one = new Float32Array(size);
  const means = new Float64Array(real.classNames.length * size);
  classIndices(real).forEach((members, label) => {
    for (const at of members) {
      normalized(images, [at], one);
      for (let i = 0; i < size; i++) means[label * size + i]! += one[i]! / members.length;
    }
  });
  return means;
}

/** Embeddings under a network that was trained on the real images. */
export function embeddingView(
  engine: Engine,
  { mean, std }: Pick<Dataset, "mean" | "std">,
  { network, trained, statistics }: Pick<PretrainedModel, "network" | "trained" | "statistics">,
): FeatureView {
  const constant = (values: number[]): Tensor => engine.tensor([1, 1, 1, values.length], values);
  const scale = constant(std.map((deviation) => 0.5 / deviation));
  const shift = constant(mean.map((center, c) => (0.5 - center) / std[c]!));
  return {
    of: (images) => network.embed(trained, images.mul(scale).add(shift), { use: "running", statistics }),
    tensors: [scale, shift, ...trained, ...statistics],
  };
}
