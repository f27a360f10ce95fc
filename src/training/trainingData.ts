import { check } from "../core/errors.ts";
import { bind, type ImageShape } from "../core/shape.ts";
import { countOf, type Dataset, normalized } from "../datasets/dataset.ts";
import { type Engine, isTensor, type Tensor } from "../engines/index.ts";

/** Hard labels, or a distribution over the classes for each image, [n, classes]. */
export type Labels = Int32Array | Tensor;

/** Labeled images that mini-batches are taken from. */
export interface TrainingData {
  /** Where batches are made. */
  readonly engine: Engine;
  /** Number of images. */
  readonly count: number;
  /** Height, width and channels of every image. */
  readonly imageShape: ImageShape;
  /** Normalized images at the positions, [positions, h, w, c], and their labels. */
  batch(positions: Int32Array): { readonly images: Tensor; readonly labels: Labels };
}

/**
 * Images that are tensors already, such as a synthetic set; the data does not own them.
 *
 * @param images normalized, [n, h, w, c]. @param labels n of them.
 * @throws InputError if there is not one label for each image.
 */
export function tensorData(images: Tensor, labels: Labels): TrainingData {
  const { n, h, w, c } = bind("training images", [images, "n h w c"]);
  const { engine } = images;
  const count = n!;
  const labeled = isTensor(labels) ? labels.shape[0] : labels.length;
  check(
    labeled === count,
    () => `training data: expected ${count} labels, one for each image, got ${labeled}`,
  );
  return {
    engine,
    count,
    imageShape: [h!, w!, c!],
    batch(positions) {
      const at = engine.indices(positions);
      return {
        images: images.gather(at),
        labels: isTensor(labels) ? labels.gather(at) : positions.map((i) => labels[i]!),
      };
    },
  };
}

/** A data set's images, normalized batch by batch. */
export function datasetData(dataset: Dataset, engine: Engine): TrainingData {
  return {
    engine,
    count: countOf(dataset),
    imageShape: dataset.imageShape,
    batch: (positions) => ({
      images: engine.tensor([positions.length, ...dataset.imageShape], normalized(dataset, positions)),
      labels: positions.map((i) => dataset.labels[i]!),
    }),
  };
}
