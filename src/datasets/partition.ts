import { check } from "../core/errors.ts";
import { bind, type ImageShape, sizeOf } from "../core/shape.ts";
import type { Tensor } from "../engines/index.ts";

/** Orders of the cells of an image: down its columns as IDM's code has it, or along its rows as IDC and NCFM have it. */
export const cellOrders = ["columns", "rows"] as const;
/** Name of an order of `cellOrders`. */
export type CellOrder = (typeof cellOrders)[number];

/** Ways to make a small image of a large one: the mean of the pixels that fall together, or the upper left one of them. */
export const downscalings = ["mean", "nearest"] as const;
/** Name of a way of `downscalings`. */
export type Downscaling = (typeof downscalings)[number];

/**
 * What stored images hold: each is a mosaic of factor × factor cells, and each cell an image at 1/factor of the sides
 * (partition and expansion, IDM, Zhao et al. 2023). Networks see the cells, enlarged to the size of the whole.
 */
export interface Partition {
  /** Cells along a side, at least 2; both sides of an image are multiples of it. */
  readonly factor: number;
  /**
   * The order in which an image's cells come. With factor 2, "columns" is upper left, lower left, upper right, lower right;
   * "rows" is upper left, upper right, lower left, lower right.
   */
  readonly order: CellOrder;
}

/** Images that each stored one holds: factor². */
export function cellsOf({ factor }: Partition): number {
  return factor ** 2;
}

/**
 * Checks that images divide into whole cells.
 *
 * @param where names the option or argument in the message.
 * @throws InputError where a side of the images is not a multiple of the factor.
 */
export function checkPartition(where: string, { factor }: Partition, [height, width]: ImageShape): void {
  check(
    Number.isInteger(factor) && factor >= 2 && height % factor === 0 && width % factor === 0,
    () =>
      `${where}: expected a factor of 2 or more that divides both sides of ${height}×${width} images, got ${factor}`,
  );
}

/**
 * The cells of mosaics as images of full size: bilinear, with half-pixel centers and the border repeated, as PyTorch's
 * `interpolate` with `align_corners=False`. Linear in the images, so differentiable to any order.
 *
 * @param images mosaics, [n, h, w, c].
 * @returns images of shape [n · factor², h, w, c]; all cells of the first mosaic in the partition's order, then those of the
 *   second, and so on, so that images sorted by class stay so.
 * @throws InputError where a side is not a multiple of the factor.
 */
export function decoded(images: Tensor, partition: Partition): Tensor {
  const { n, h, w, c } = bind("decoded", [images, "n h w c"]) as Record<"n" | "h" | "w" | "c", number>;
  checkPartition("decoded", partition, [h, w, c]);
  const { engine } = images;
  const { factor, order } = partition;
  const [cellHeight, cellWidth] = [h / factor, w / factor];
  const down = engine.tensor([h, cellHeight], enlargement(cellHeight, factor));
  // Channels keep to themselves. Each row of all images is a row of one product, which is faster than many small ones.
  const across = engine.tensor(
    [cellWidth * c, w * c],
    acrossChannels(enlargement(cellWidth, factor), cellWidth, c),
  );
  return down
    .matMul(images.reshape([n * factor, cellHeight, w * c])) // [n · factor, h, w · c]
    .reshape([n * factor * h * factor, cellWidth * c])
    .matMul(across)
    .reshape([n, factor, h, factor, w, c])
    .transpose(order === "columns" ? [0, 3, 1, 2, 4, 5] : [0, 1, 3, 2, 4, 5])
    .reshape([n * factor ** 2, h, w, c]);
}

/**
 * `decoded` without an engine, rounded to float32 once at the end: the values that a set is trained on and exported with.
 *
 * @param images mosaics, [n, h, w, c]. @param shape of an image.
 */
export function decodedValues(
  images: ArrayLike<number>,
  shape: ImageShape,
  partition: Partition,
): Float32Array {
  checkPartition("decodedValues", partition, shape);
  const [height, width, channels] = shape;
  const { factor } = partition;
  const rows = neighbors(height / factor, factor);
  const columns = neighbors(width / factor, factor).flatMap(({ first, second, share }) =>
    Array.from({ length: channels }, (_, k) => ({
      first: first * channels + k,
      second: second * channels + k,
      share,
    })),
  );
  const result = new Float32Array(images.length * cellsOf(partition));
  let at = 0;
  for (const corner of corners(images.length, shape, partition)) {
    for (const { first, second, share } of rows) {
      const above = corner + first * width * channels;
      const below = corner + second * width * channels;
      for (const x of columns) {
        const upper = (1 - x.share) * images[above + x.first]! + x.share * images[above + x.second]!;
        const lower = (1 - x.share) * images[below + x.first]! + x.share * images[below + x.second]!;
        result[at++] = (1 - share) * upper + share * lower;
      }
    }
  }
  return result;
}

/**
 * Mosaics of images of full size, each in a cell of its own, downscaled: the start of a distillation.
 *
 * @param images [n · factor², h, w, c], in the order of `decoded`. @param shape of an image.
 * @param downscaling "mean" of factor × factor pixels, with factor 2 the same as bilinear (IDM); "nearest" takes the upper
 *   left one (NCFM).
 * @returns mosaics, [n, h, w, c].
 */
export function mosaics(
  images: Float32Array,
  shape: ImageShape,
  partition: Partition,
  downscaling: Downscaling,
): Float32Array {
  checkPartition("mosaics", partition, shape);
  const [height, width, channels] = shape;
  const { factor } = partition;
  const result = new Float32Array(images.length / cellsOf(partition));
  const reach = downscaling === "mean" ? factor : 1;
  const row = width * channels;
  let from = 0;
  for (const corner of corners(result.length, shape, partition)) {
    for (let i = 0; i < height / factor; i++) {
      for (let at = 0; at < row / factor; at++) {
        const column = factor * (at - (at % channels)) + (at % channels);
        result[corner + i * row + at] = meanAt(images, from + i * factor * row + column, reach, shape);
      }
    }
    from += sizeOf(shape);
  }
  return result;
}

/** Labels of `decoded` images: each image's own for each of its cells. */
export function decodedLabels(labels: Int32Array, partition: Partition): Int32Array {
  const cells = cellsOf(partition);
  return Int32Array.from({ length: labels.length * cells }, (_, i) => labels[Math.floor(i / cells)]!);
}

/** Where the cells of images begin in their values, [n, h, w, c]: image after image, in the partition's order. */
function* corners(
  length: number,
  shape: ImageShape,
  { factor, order }: Partition,
): Generator<number, void, undefined> {
  const [height, width, channels] = shape;
  const right = (width / factor) * channels;
  const down = (height / factor) * width * channels;
  const [outer, inner] = order === "columns" ? [right, down] : [down, right];
  for (let image = 0; image < length; image += sizeOf(shape)) {
    for (let i = 0; i < factor; i++) {
      for (let j = 0; j < factor; j++) yield image + i * outer + j * inner;
    }
  }
}

/** Mean of `reach` × `reach` values of a channel, from `first` on to the right and down. */
function meanAt(images: Float32Array, first: number, reach: number, [, width, channels]: ImageShape): number {
  let sum = 0;
  for (let y = 0; y < reach; y++) {
    for (let x = 0; x < reach; x++) sum += images[first + (y * width + x) * channels]!;
  }
  return sum / reach ** 2;
}

/** Two neighboring pixels of a side, and the share of the second in a new one between them. */
interface Neighbors {
  readonly first: number;
  readonly second: number;
  readonly share: number;
}

/** What each pixel of an enlarged side is made of: pixel i lies at (i + ½)/factor − ½ of the old side. */
function neighbors(side: number, factor: number): Neighbors[] {
  return Array.from({ length: side * factor }, (_, i) => {
    const at = (i + 0.5) / factor - 0.5;
    const below = Math.floor(at);
    return { first: Math.max(below, 0), second: Math.min(below + 1, side - 1), share: at - below };
  });
}

/** The same as a matrix, [side · factor, side]. */
function enlargement(side: number, factor: number): Float64Array {
  const matrix = new Float64Array(side * factor * side);
  neighbors(side, factor).forEach(({ first, second, share }, i) => {
    matrix[i * side + first]! += 1 - share;
    matrix[i * side + second]! += share;
  });
  return matrix;
}

/** A matrix of `enlargement`, transposed, for rows of pixels of c channels: [side · c, side · factor · c]. */
function acrossChannels(matrix: Float64Array, side: number, c: number): Float64Array {
  const enlarged = matrix.length / side;
  const result = new Float64Array(matrix.length * c * c);
  matrix.forEach((weight, at) => {
    const [to, from] = [Math.floor(at / side), at % side];
    for (let k = 0; k < c; k++) result[(from * c + k) * enlarged * c + to * c + k] = weight;
  });
  return result;
}
