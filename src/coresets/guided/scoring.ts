import { check } from "../../core/errors.ts";
import { countOf, type Dataset, normalized } from "../../datasets/dataset.ts";
import { imagesAtOnce } from "../../networks/network.ts";
import type { Model } from "../../training/model.ts";

/** How hard a network finds images. */
export interface NetworkScores {
  /** D of each image, 0 to 1. In float64: easy images are closer to 0 than float32 can tell 1 − D from 1. */
  readonly difficulty: Float64Array;
  /** Share of the images whose largest logit is that of their label. */
  readonly accuracy: number;
}

/**
 * The difficulty of each image under a network (DGS):
 *
 *     D(x) = 1 − softmax(f(x))[y] ∈ [0, 1]
 *
 * Images are taken as they are, batch norm uses running statistics. Yields now and then how many images are done.
 *
 * @throws InputError for images or classes that are not the network's.
 *
 * The published code rounds to 4 decimals, which makes zeros of easy images, and the lowest threshold the floor.
 */
export function* difficultyUnder(model: Model, dataset: Dataset): Generator<number, NetworkScores> {
  const { network, parameters, statistics } = model;
  const { imageShape, labels, classNames } = dataset;
  const classes = classNames.length;
  check(
    String(imageShape) === String(network.imageShape) && classes === network.classes,
    () =>
      `difficulty: expected images of ${network.imageShape.join("×")} in ${network.classes} classes, as the network ` +
      `takes them, got ${imageShape.join("×")} in ${classes}`,
  );
  const { engine } = parameters[0]!;
  const mode = { use: "running", statistics } as const;
  const count = countOf(dataset);
  const difficulty = new Float64Array(count);
  const size = imagesAtOnce(network);
  let correct = 0;
  for (let from = 0; from < count; from += size) {
    const positions = Int32Array.from({ length: Math.min(size, count - from) }, (_, i) => from + i);
    const logits = engine.scope(() => {
      const images = engine.tensor([positions.length, ...imageShape], normalized(dataset, positions));
      return engine.noGrad(() => network.logits(parameters, images, mode)).values();
    });
    positions.forEach((at, row) => {
      const own = Float64Array.from(logits.subarray(row * classes, (row + 1) * classes));
      difficulty[at] = shareOfOthers(own, labels[at]!);
      if (own.indexOf(Math.max(...own)) === labels[at]) correct++;
    });
    yield from + positions.length;
  }
  return { difficulty, accuracy: correct / count };
}

/** 1 − exp(z_y) / Σ exp(z_j), as the share of all classes but y: without cancellation. */
function shareOfOthers(logits: Float64Array, label: number): number {
  const most = Math.max(...logits);
  const weights = logits.map((logit) => Math.exp(logit - most));
  const all = weights.reduce((a, b) => a + b);
  return weights.reduce((sum, weight, c) => (c === label ? sum : sum + weight), 0) / all;
}
