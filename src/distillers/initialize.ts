import { oneOf } from "../core/errors.ts";
import type { Rng } from "../core/rng.ts";
import { sizeOf } from "../core/shape.ts";
import { randomCoreset, type Scarcity } from "../coresets/random.ts";
import { type Dataset, normalized } from "../datasets/dataset.ts";
import { cellsOf, type Downscaling, mosaics, type Partition } from "../datasets/partition.ts";
import type { Tensor } from "../engines/index.ts";
import type { Source } from "../objectives/objective.ts";

/** How synthetic images start. */
export interface InitialOptions {
  /** Name of a way. */
  readonly initialization: Initialization;
  /** Where a class has too few real images: for mosaics, fewer than their cells. */
  readonly scarcity: Scarcity;
  /** Of images that are mosaics, how real ones are made small enough for a cell. Default "mean". */
  readonly partition?: { readonly downscale?: Downscaling | undefined } | undefined;
}

type Start = (source: Source, options: InitialOptions, rng: Rng) => Float32Array;

/** Ways to start the synthetic images, by name; each gives normalized pixels, class-major. */
export const initializations = {
  /**
   * Random real images of the class, of a mosaic another one in each cell. Distilled for 0 steps, this is the random baseline.
   */
  random({ real, classes, imagesPerClass, partition }, { scarcity, partition: { downscale } = {} }, rng) {
    const each = partition ? cellsOf(partition) : 1;
    const chosen = randomCoreset(classes, imagesPerClass * each, scarcity, rng);
    return partition ? mosaicsOf(real, chosen, partition, downscale ?? "mean") : normalized(real, chosen);
  },
  /** Standard normal pixels. */
  noise: (source, _, rng) =>
    rng.fillNormal(new Float32Array(source.labels.length * sizeOf(source.real.imageShape))),
} as const satisfies Record<string, Start>;

/** Name of a way to start the synthetic images. */
export type Initialization = keyof typeof initializations;

/** The synthetic images at step 0, [classes · imagesPerClass, height, width, channels]. */
export function initialImages(source: Source, options: InitialOptions, rng: Rng): Tensor {
  const start: Start = oneOf("initialization", initializations, options.initialization);
  const pixels = start(source, options, rng.stream("initialization"));
  return source.engine.tensor([source.labels.length, ...source.real.imageShape], pixels);
}

/** Mosaics of the real images at these positions, in the order of the cells; one at a time, as the real ones are larger. */
function mosaicsOf(
  real: Dataset,
  positions: Int32Array,
  partition: Partition,
  downscale: Downscaling,
): Float32Array {
  const cells = cellsOf(partition);
  const size = sizeOf(real.imageShape);
  const result = new Float32Array((positions.length / cells) * size);
  for (let from = 0; from < positions.length; from += cells) {
    const images = normalized(real, positions.subarray(from, from + cells));
    result.set(mosaics(images, real.imageShape, partition, downscale), (from / cells) * size);
  }
  return result;
}
