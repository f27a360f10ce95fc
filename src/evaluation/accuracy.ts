import { check } from "../core/errors.ts";
import { sizeOf } from "../core/shape.ts";
import { countOf, type Dataset, normalized } from "../datasets/dataset.ts";
import type { Engine, Tensor, Values } from "../engines/index.ts";
import { imagesAtOnce, mostAtOnce } from "../networks/network.ts";
import type { Model } from "../training/model.ts";

/** A data set's images on an engine, normalized once and ready for many networks. */
export interface TestSet {
  /** Name of the data set, of which protocols may make an exception. */
  readonly name: string;
  /** [≤ batchSize, h, w, c] each, in data set order. */
  readonly batches: readonly Tensor[];
  /** Class of each image. */
  readonly labels: Int32Array;
  /** In label order. */
  readonly classNames: readonly string[];
  /** Those of the data set that these are some classes of, which protocols go by; absent where they are all. */
  readonly wholeClassNames?: readonly string[];
}

/**
 * All of `dataset`, in batches of `batchSize`; networks that take fewer images at once go through each in parts. The caller
 * frees it with `disposeTestSet`.
 */
export function testSet(dataset: Dataset, engine: Engine, batchSize = mostAtOnce): TestSet {
  const count = countOf(dataset);
  const batches: Tensor[] = [];
  const pixels = new Float32Array(Math.min(batchSize, count) * sizeOf(dataset.imageShape));
  for (let i = 0; i < count; i += batchSize) {
    const positions = Int32Array.from({ length: Math.min(batchSize, count - i) }, (_, k) => i + k);
    const batch = normalized(dataset, positions, pixels);
    batches.push(engine.tensor([positions.length, ...dataset.imageShape], batch));
  }
  const { name, labels, classNames, wholeClassNames: whole } = dataset;
  return { name, batches, labels, classNames, ...(whole && { wholeClassNames: whole }) };
}

/** Frees the images of a test set. */
export function disposeTestSet(test: TestSet): void {
  for (const batch of test.batches) batch.dispose();
}

/** Fractions of images whose largest logit is that of their label. */
export interface Accuracy {
  /** Among all images. */
  readonly accuracy: number;
  /** The same among each class's images. */
  readonly perClass: readonly number[];
}

/**
 * Accuracy of a network on a whole set, without augmentation; batch norm uses running statistics.
 *
 * @throws InputError if the network's classes are not as many as the set's.
 */
export function accuracy(model: Model, test: TestSet): Accuracy {
  const classes = test.classNames.length;
  check(
    model.network.classes === classes,
    () => `accuracy: expected a network for ${classes} classes, got one for ${model.network.classes}`,
  );
  const predicted = predictions(model, test.batches);
  const counts = new Array<number>(classes).fill(0);
  const correct = new Array<number>(classes).fill(0);
  test.labels.forEach((label, i) => {
    counts[label]!++;
    if (predicted[i] === label) correct[label]!++;
  });
  return {
    accuracy: correct.reduce((sum, one) => sum + one, 0) / test.labels.length,
    perClass: correct.map((one, label) => one / counts[label]!),
  };
}

/** Position of the largest logit of each image, [images]. */
function predictions({ network, parameters, statistics }: Model, batches: readonly Tensor[]): Values {
  const mode = { use: "running", statistics } as const;
  const { engine } = batches[0]!;
  const predicted = (images: Tensor): Tensor => network.logits(parameters, images, mode).argmax(1);
  return engine.scope(() =>
    engine.noGrad(() => {
      const found = batches.flatMap((batch) => inParts(batch, imagesAtOnce(network), predicted));
      return engine.concat(found).values(); // all at once, since that waits for the device
    }),
  );
}

/** What `f` gives for up to `size` images after another. */
function inParts(images: Tensor, size: number, f: (part: Tensor) => Tensor): Tensor[] {
  const [count, ...shape] = images.shape as [number, number, number, number];
  return Array.from({ length: Math.ceil(count / size) }, (_, i) =>
    images.engine.scope(() =>
      f(images.slice([i * size, 0, 0, 0], [Math.min(size, count - i * size), ...shape])),
    ),
  );
}
