import { z } from "zod";
import { choice, type Choice, type Chosen } from "../core/options.ts";
import { parsed } from "../core/parse.ts";
import type { Rng } from "../core/rng.ts";
import { sizeOf } from "../core/shape.ts";
import { candidatesOf, type Coreset, type Scarcity, type CoresetSelection } from "../coresets/coreset.ts";
import { coresets } from "../coresets/index.ts";
import { type Dataset, normalized } from "../datasets/dataset.ts";
import { cellsOf, type Downscaling, mosaics, type Partition } from "../datasets/partition.ts";
import type { Tensor } from "../engines/index.ts";
import type { Source } from "../objectives/objective.ts";

/** Standard normal pixels have no options. */
const noise = { options: z.strictObject({}) } as const;

/**
 * Ways to start the synthetic images, by name: images that a coreset chooses, of mosaics one in each cell, or standard normal
 * pixels. Distilled for 0 steps, a coreset is the result.
 */
export const initializations: typeof coresets & { readonly noise: typeof noise } = { ...coresets, noise };

/** A way's name, alone or with options that differ from their defaults, as in `{ name: "herding", form: "welling" }`. */
export type InitializationChoice = Choice<typeof initializations>;
/** A way's name with all of its options. */
export type Initialization = Chosen<typeof initializations>;

/** Schema of a way, by its named types, so that declarations do not spell out all options of all ways again. */
export const initializationOption: z.ZodType<Initialization, InitializationChoice> = choice(initializations);

/** How synthetic images start. */
export interface InitialOptions {
  /** The way. */
  readonly initialization: InitializationChoice | Initialization;
  /** Where a class has too few images to choose from: for mosaics, fewer than their cells. */
  readonly scarcity: Scarcity;
  /** Of images that are mosaics, how real ones are made small enough for a cell. Default "mean". */
  readonly partition?: { readonly downscale?: Downscaling | undefined } | undefined;
}

/** The synthetic images at step 0, and which images they are. */
export interface Initial {
  /** Normalized, [classes · imagesPerClass, height, width, channels]. */
  readonly images: Tensor;
  /** Where a coreset chose them. */
  readonly selection?: CoresetSelection;
}

/** The way that chooses among images; none where they are noise. */
export function coresetOf(initialization: Initialization): Coreset | undefined {
  const { name, ...options } = initialization;
  if (name === "noise") return undefined;
  return (coresets[name].build as (options: never) => Coreset)(options as never);
}

/** The synthetic images at step 0. What the way prepares must be there by `source.prepared`. */
export function initialSet(source: Source, options: InitialOptions, rng: Rng): Initial {
  const { engine, real, labels, imagesPerClass, partition } = source;
  const coreset = coresetOf(parsed("initialization", initializationOption, options.initialization));
  const dice = rng.stream("initialization");
  const shape = [labels.length, ...real.imageShape];
  if (!coreset) {
    return { images: engine.tensor(shape, dice.fillNormal(new Float32Array(sizeOf(shape)))) };
  }
  const perClass = imagesPerClass * (partition ? cellsOf(partition) : 1);
  const selection = coreset.choose(source, { perClass, scarcity: options.scarcity }, dice);
  const { dataset } = candidatesOf(source);
  const downscale = options.partition?.downscale ?? "mean";
  const pixels = partition
    ? mosaicsOf(dataset, selection.positions, partition, downscale)
    : normalized(dataset, selection.positions);
  return { images: engine.tensor(shape, pixels), selection };
}

/** The images of `initialSet` alone. */
export function initialImages(source: Source, options: InitialOptions, rng: Rng): Tensor {
  return initialSet(source, options, rng).images;
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
