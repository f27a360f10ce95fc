import { check, oneOf } from "../core/errors.ts";
import type { Rng } from "../core/rng.ts";
import { bind, type ImageShape, sizeOf } from "../core/shape.ts";
import type { Tensor, Values } from "../engines/index.ts";
import { type Plane, rotated } from "./rotate.ts";

/** Mean colors of a mini-batch before it is changed. */
interface Colors {
  /** Of each channel. */
  readonly means: readonly number[];
  /** Mean over the channels. */
  readonly overall: number;
}

/** An operation of dataset condensation's augmentation: its dice for one image, and what it does to one of its channels. */
interface Operation<P> {
  draw(rng: Rng, imageShape: ImageShape): P;
  apply(plane: Plane, parameters: P, channel: number, colors: Colors): Float64Array;
}

/** Pixels of border around the image that a crop is cut from. */
const CROP_BORDER = 4;
/** Each side is scaled by a factor within this of 1. */
const SCALE_REACH = 0.2;
/** Angles are whole degrees from −45 to 44. */
const ROTATION_REACH = 45;
/** Standard deviation of the noise, in normalized units. */
const NOISE = 0.001;

/** The image with a border of the mean colors, seen through a window of its size. The code never draws the last offset, 8. */
const crop: Operation<{ readonly row: number; readonly column: number }> = {
  draw: (rng) => ({ row: rng.integer(2 * CROP_BORDER), column: rng.integer(2 * CROP_BORDER) }),
  apply({ values, height, width }, { row, column }, channel, { means }) {
    const [down, right] = [row - CROP_BORDER, column - CROP_BORDER];
    const seen = new Float64Array(height * width).fill(means[channel]!);
    const [begin, end] = [Math.max(0, right), Math.min(width, width + right)];
    for (let i = Math.max(0, down); i < Math.min(height, height + down); i++) {
      seen.set(values.subarray(i * width + begin, i * width + end), (i - down) * width + begin - right);
    }
    return seen;
  },
};

/** The image resized to other sides by the nearest pixel, in the middle of zeros. */
const scale: Operation<{ readonly rows: number; readonly columns: number }> = {
  draw: (rng) => {
    const factor = (): number => 1 + SCALE_REACH * (2 * rng.uniform() - 1);
    return { rows: factor(), columns: factor() };
  },
  apply({ values, height, width }, { rows, columns }) {
    const [h, w] = [Math.floor(rows * height), Math.floor(columns * width)];
    const canvas = Math.max(h, w, height, width);
    const down = sources(height, h, canvas);
    const right = sources(width, w, canvas);
    const resized = new Float64Array(height * width);
    for (let i = 0; i < height; i++) {
      if (down[i]! < 0) continue;
      for (let j = 0; j < width; j++) {
        if (right[j]! >= 0) resized[i * width + j] = values[down[i]! * width + right[j]!]!;
      }
    }
    return resized;
  },
};

/** Where each pixel of a side comes from that is resized, put into the middle of a canvas and cut out again; −1 for outside. */
function sources(side: number, resized: number, canvas: number): number[] {
  const shift = Math.floor((canvas - side) / 2) - Math.floor((canvas - resized) / 2);
  return Array.from({ length: side }, (_, i) => {
    const at = i + shift;
    return at < 0 || at >= resized ? -1 : Math.min(Math.floor((at * side) / resized), side - 1);
  });
}

/** The image turned about its center, and cut to its size; outside is the mean of the mean colors. */
const rotate: Operation<{ readonly degrees: number }> = {
  draw: (rng) => ({ degrees: rng.integer(2 * ROTATION_REACH) - ROTATION_REACH }),
  apply: (plane, { degrees }, _channel, { overall }) => rotated(plane, degrees, overall),
};

/** Noise of its own on every value. */
const noise: Operation<{ readonly values: Float64Array }> = {
  draw: (rng, imageShape) => ({ values: rng.fillNormal(new Float64Array(sizeOf(imageShape))) }),
  apply({ values }, drawn, channel) {
    const channels = drawn.values.length / values.length;
    const noisy = new Float64Array(values.length);
    for (let p = 0; p < values.length; p++) {
      noisy[p] = values[p]! + NOISE * drawn.values[p * channels + channel]!;
    }
    return noisy;
  },
};

const operations = { crop, scale, rotate, noise };

/** Name of an operation of dataset condensation's augmentation. */
export type CondensationOp = keyof typeof operations;

/**
 * Dataset condensation's own augmentation (DC; Zhao et al., ICLR 2021; no equations in the paper, from its code): each image
 * gets one of the operations, each as often as any other. Names are those of siamese augmentation, and mean other things:
 *
 * - crop: cut at a random place from the image with a border of 4 pixels in the mean colors of the mini-batch;
 * - scale: each side by a factor of its own within 0.8 to 1.2, to the nearest pixel, around it 0;
 * - rotate: by −45° to 44°, by cubic splines, around it the mean over the mean colors;
 * - noise: 0.001 times a normal number of its own for each value.
 */
export interface CondensationStrategy {
  /** The operations that are drawn from. */
  readonly condensation: readonly CondensationOp[];
}

type ParametersOf<T> = T extends Operation<infer P> ? P : never;

/** What was drawn for one image, as plain data. */
export type CondensationChange = {
  readonly [Op in CondensationOp]: {
    readonly op: Op;
    readonly parameters: ParametersOf<(typeof operations)[Op]>;
  };
}[CondensationOp];

/**
 * The operations that a strategy names, as in "crop_scale_rotate".
 *
 * @throws InputError for an unknown name, and one that is repeated.
 */
export function parseCondensationStrategy(strategy: string): CondensationStrategy {
  const names = strategy.split("_");
  for (const name of names) oneOf("condensation augmentation", operations, name);
  check(
    new Set(names).size === names.length,
    () => `condensation augmentation: expected every operation once, got ${strategy}`,
  );
  return { condensation: names as CondensationOp[] };
}

/** Rolls the dice of a mini-batch: for each image an operation, uniformly from the strategy, and its parameters. */
export function drawCondensation(
  { condensation }: CondensationStrategy,
  count: number,
  imageShape: ImageShape,
  rng: Rng,
): CondensationChange[] {
  return Array.from({ length: count }, () => {
    const op = condensation[rng.integer(condensation.length)]!;
    return { op, parameters: operations[op].draw(rng, imageShape) } as CondensationChange;
  });
}

/**
 * The images of a mini-batch, [n, h, w, c], each changed by what was drawn for it. Computed on the host, and not
 * differentiable: it is for training on images, not for learning them.
 *
 * @throws InputError where the changes were drawn for another number of images.
 */
export function condensationAugmented(images: Tensor, changes: readonly CondensationChange[]): Tensor {
  const { n, h, w, c } = bind("condensation augmentation", [images, "n h w c"]);
  check(
    changes.length === n,
    () => `condensation augmentation: expected a change for each of ${n} images, got ${changes.length}`,
  );
  const [height, width, channels] = [h!, w!, c!];
  const before = images.values();
  const after = new Float64Array(before.length);
  const colors = colorsOf(before, channels);
  const plane = { values: new Float64Array(height * width), height, width };
  changes.forEach(({ op, parameters }, image) => {
    const operation: Operation<unknown> = operations[op];
    for (let channel = 0; channel < channels; channel++) {
      const first = image * height * width * channels + channel;
      for (let p = 0; p < height * width; p++) plane.values[p] = before[first + p * channels]!;
      const changed = operation.apply(plane, parameters, channel, colors);
      for (let p = 0; p < height * width; p++) after[first + p * channels] = changed[p]!;
    }
  });
  return images.engine.tensor(images.shape, after);
}

function colorsOf(values: Values, channels: number): Colors {
  const means = new Array<number>(channels).fill(0);
  for (let i = 0; i < values.length; i++) means[i % channels]! += values[i]!;
  const scaled = means.map((sum) => (sum * channels) / values.length);
  return { means: scaled, overall: scaled.reduce((sum, one) => sum + one, 0) / channels };
}
