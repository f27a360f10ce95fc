import { check, wholeNumber } from "../core/errors.ts";
import { type Rng, seeded } from "../core/rng.ts";
import { classIndices, type Dataset, normalized, type Splits } from "../datasets/dataset.ts";
import type { Engine, Tensor } from "../engines/index.ts";
import { imagesAtOnce, type Network } from "../networks/network.ts";
import { disposeModel, freshModel, type Model } from "../training/model.ts";

/** A synthetic set beside real images, and the networks under whose features the two are compared. */
export interface FeatureComparison {
  /** Where it is computed. */
  readonly engine: Engine;
  /** Architecture; its parameters are fresh draws that depend on nothing but its name. */
  readonly network: Network;
  /** Synthetic images, as pixels of which 0 is black and 1 white; of mosaics, the images that they stand for. */
  readonly synthetic: Dataset;
  /** Held-out real images, and the training images that random subsets are taken from. */
  readonly splits: Splits;
  /** Fresh random networks. Default 3. */
  readonly networks?: number;
  /** Held-out images of each class that count, its first; of a class that has fewer, all. Default 100. */
  readonly testImages?: number;
}

/** Features of one class's images under one network, each [images, d]. */
export interface ClassSamples {
  /** Position of the class in the data set's names. */
  readonly label: number;
  /** Of held-out real images. */
  readonly test: Tensor;
  /** Of synthetic images. */
  readonly synthetic: Tensor;
  /** Of as many random training images, or as many as the class has. */
  readonly real: Tensor;
}

/** One of the networks. Features are taken class after class, so that no more than a class's are held at a time. */
export interface FeatureNetwork {
  /** Features of held-out images of all classes, to measure lengths by: at most 128 rows. */
  readonly points: Tensor;
  /** Dice for whatever else is drawn beside this network. */
  readonly rng: Rng;
  /** Shows every class of which there are synthetic images; its features are freed afterwards. */
  readonly eachClass: (use: (samples: ClassSamples) => void) => void;
}

const NETWORKS = 3;
const TEST_IMAGES = 100;
/** Rows that lengths are measured by: over 8000 distances. */
const POINTS = 128;

/**
 * Looks at a synthetic set and at real images through fresh random networks, one after another. Their dice are the same
 * for every set, so that what is found can be compared between sets. Batch norm uses the statistics that it starts with.
 *
 * @throws InputError where shapes or classes of the sets differ, or a count is below 1.
 */
export function throughNetworks(comparison: FeatureComparison, use: (network: FeatureNetwork) => void): void {
  const { engine, network, networks = NETWORKS, testImages = TEST_IMAGES } = comparison;
  wholeNumber("featureComparison.networks", networks, 1);
  wholeNumber("featureComparison.testImages", testImages, 2);
  checkAlike(comparison);
  for (let index = 0; index < networks; index++) {
    const rng = seeded(0).stream(`features/${network.name}/${index}`);
    const model = freshModel(network, engine, rng.stream("network"));
    const embed = (dataset: Dataset, rows: ArrayLike<number>): Tensor =>
      embedded(dataset, rows, model, engine);
    const points = embed(comparison.splits.test, pointPositions(comparison));
    try {
      use({ points, rng, eachClass: (each) => classByClass(comparison, { embed, rng }, each) });
    } finally {
      points.dispose();
      disposeModel(model);
    }
  }
}

/** How many networks and held-out images of each class a comparison looks at. */
export function extentOf({ splits, networks = NETWORKS, testImages = TEST_IMAGES }: FeatureComparison): {
  readonly networks: number;
  readonly testImages: readonly number[];
} {
  return {
    networks,
    testImages: classIndices(splits.test).map(({ length }) => Math.min(length, testImages)),
  };
}

/** The first image of every class, then the second, …, as far as `POINTS` go. */
function pointPositions({ splits: { test } }: FeatureComparison): number[] {
  const classes = classIndices(test);
  const rounds = Array.from({ length: Math.ceil(POINTS / classes.length) }, (_, i) => i);
  return rounds.flatMap((i) => classes.flatMap((members) => members[i] ?? [])).slice(0, POINTS);
}

/** A network's features of images of a data set, and its dice. */
interface Embedding {
  readonly embed: (dataset: Dataset, positions: ArrayLike<number>) => Tensor;
  readonly rng: Rng;
}

function classByClass(
  { engine, synthetic, splits: { test, train }, testImages = TEST_IMAGES }: FeatureComparison,
  { embed, rng }: Embedding,
  use: (samples: ClassSamples) => void,
): void {
  const members = classIndices(train);
  const held = classIndices(test);
  classIndices(synthetic).forEach((own, label) => {
    if (own.length === 0) return;
    const order = rng.stream(`real/${label}`).permutation(members[label]!.length);
    const random = order.subarray(0, own.length).map((at) => members[label]![at]!);
    engine.scope(() =>
      use({
        label,
        test: embed(test, held[label]!.subarray(0, testImages)),
        // All in the space of the test images, whatever constants the set is trained with.
        synthetic: embed({ ...synthetic, mean: test.mean, std: test.std }, own),
        real: embed({ ...train, mean: test.mean, std: test.std }, random),
      }),
    );
  });
}

/** Features of images of a data set, [images, d], as many images at once as the network takes. */
export function embedded(
  dataset: Dataset,
  positions: ArrayLike<number>,
  { network, parameters, statistics }: Model,
  engine: Engine,
): Tensor {
  const size = imagesAtOnce(network);
  const rows = Array.from(positions);
  const embed = (part: readonly number[]): Tensor => {
    const images = engine.tensor([part.length, ...dataset.imageShape], normalized(dataset, part));
    return network.embed(parameters, images, { use: "running", statistics });
  };
  return engine.scope(() =>
    engine.noGrad(() =>
      engine.concat(
        Array.from({ length: Math.ceil(rows.length / size) }, (_, i) =>
          engine.scope(() => embed(rows.slice(i * size, (i + 1) * size))),
        ),
      ),
    ),
  );
}

function checkAlike({ network, synthetic, splits }: FeatureComparison): void {
  const shape = String(network.imageShape);
  const sets = { synthetic, train: splits.train, test: splits.test };
  for (const [name, { imageShape, classNames }] of Object.entries(sets)) {
    check(
      String(imageShape) === shape && classNames.length === network.classes,
      () =>
        `featureComparison.${name}: expected images of ${network.imageShape.join("×")} in ${network.classes} classes, as ` +
        `the network takes them, got ${imageShape.join("×")} in ${classNames.length}`,
    );
  }
}
