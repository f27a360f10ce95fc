import { check } from "../core/errors.ts";
import type { Rng } from "../core/rng.ts";
import { type ImageShape, sizeOf } from "../core/shape.ts";
import { usualAugmentation } from "../datasets/augment.ts";
import { countOf, type Dataset, normalized, wholeClassNames } from "../datasets/dataset.ts";
import type { Engine, Tensor } from "../engines/index.ts";
import { drawDropout, type Dropout } from "./dropout.ts";
import { noised } from "./schedule.ts";
import type { UNet } from "./unet.ts";

/** What the dice of a training step are rolled by. */
export interface BatchOptions {
  readonly batchSize: number;
  /** Share of the images whose class the network is not told. */
  readonly labelDropout: number;
  /** Whether each image is mirrored by the toss of a coin. Absent: unless the classes are digits. */
  readonly flip?: boolean | undefined;
}

/** A mini-batch of noised images. */
export interface NoisedBatch {
  /** x with pixels from −1 to 1, [n, h, w, c]. */
  readonly images: Tensor;
  /** Class of each image. */
  readonly classes: Int32Array;
  /** The same, but `unet.classes` for those that the network is not told. */
  readonly labels: Int32Array;
  /** Time of each image, uniform on 0 … T − 1. */
  readonly times: Int32Array;
  /** ᾱ of each time. */
  readonly bars: Float64Array;
  /** ε, [n, h, w, c]. */
  readonly noise: Tensor;
  /** x_t, [n, h, w, c]. */
  readonly at: Tensor;
  readonly dropout: Dropout | undefined;
}

/**
 * The images of a data set with black as −1 and white as 1.
 *
 * @throws InputError for whitened ones.
 */
export function centered(dataset: Dataset): Dataset {
  check(
    dataset.whitening === undefined,
    () => "generation: expected images that are not whitened; leave out zca",
  );
  const half = dataset.mean.map(() => 0.5);
  return { ...dataset, mean: half, std: half };
}

/**
 * Rolls the dice of step after step, each from `rng.stream("step/s")`, so that a training goes on anywhere. Images come in
 * random orders of all, one after another without a break.
 *
 * @param bars ᾱ of every time.
 */
export function batchesOf(
  source: { readonly engine: Engine; readonly real: Dataset },
  {
    unet,
    bars,
    options,
  }: { readonly unet: UNet; readonly bars: Float64Array; readonly options: BatchOptions },
  rng: Rng,
): (step: number) => NoisedBatch {
  const { engine } = source;
  const real = centered(source.real);
  const { batchSize, labelDropout } = options;
  const flip = options.flip ?? usualAugmentation(wholeClassNames(real)).flat().includes("flip");
  const positionsAt = ordering(countOf(real), batchSize, rng);
  return (step) => {
    const dice = rng.stream(`step/${step}`);
    const positions = positionsAt(step);
    const values = normalized(real, positions);
    if (flip) mirror(values, real.imageShape, dice.stream("flip"));
    const images = engine.tensor([batchSize, ...real.imageShape], values);
    const classes = positions.map((at) => real.labels[at]!);
    const untold = dice.stream("labels");
    const labels = classes.map((label) => (untold.uniform() < labelDropout ? unet.classes : label));
    const timing = dice.stream("times");
    const times = Int32Array.from({ length: batchSize }, () => timing.integer(bars.length));
    const drawn = dice.stream("noise").fillNormal(new Float32Array(values.length));
    const noise = engine.tensor(images.shape, drawn);
    const at = Float64Array.from(times, (time) => bars[time]!);
    const thinning = { rate: unet.dropout, images: batchSize, sites: unet.thinned };
    const dropout = drawDropout(engine, thinning, dice.stream("dropout"));
    return { images, classes, labels, times, bars: at, noise, at: noised(images, noise, at), dropout };
  };
}

/** Positions of each step's images in random orders of all, one after another. */
function ordering(count: number, batchSize: number, rng: Rng): (step: number) => Int32Array {
  let latest: { readonly epoch: number; readonly order: Int32Array } = {
    epoch: -1,
    order: new Int32Array(0),
  };
  const orderOf = (epoch: number): Int32Array => {
    if (latest.epoch !== epoch) latest = { epoch, order: rng.stream(`epoch/${epoch}`).permutation(count) };
    return latest.order;
  };
  return (step) =>
    Int32Array.from({ length: batchSize }, (_, i) => {
      const place = step * batchSize + i;
      return orderOf(Math.floor(place / count))[place % count]!;
    });
}

/** Mirrors about half of the images, in place. */
function mirror(values: Float32Array, shape: ImageShape, dice: Rng): void {
  const [height, width, channels] = shape;
  const size = sizeOf(shape);
  for (let image = 0; image < values.length; image += size) {
    if (dice.uniform() < 0.5) continue;
    for (let y = 0; y < height; y++) {
      const row = values.subarray(image + y * width * channels, image + (y + 1) * width * channels);
      const before = row.slice();
      for (let i = 0; i < row.length; i++) {
        const x = Math.floor(i / channels);
        row[i] = before[(width - 1 - x) * channels + (i % channels)]!;
      }
    }
  }
}
