import type { Rng } from "../core/rng.ts";
import type { Tensor } from "../engines/index.ts";
import type { Operation } from "./augment.ts";

/** Largest shift of a crop, as a share of the side. */
const cropRatio = 0.125;
/** Side of the hole of a cutout, as a share of the image's. */
const cutoutRatio = 0.5;
/** Scale factors lie between 1/1.2 and 1.2. */
const scaleRatio = 1.2;
/** Angles lie within this on either side, in degrees. */
const rotationDegrees = 15;

/** Nearest whole number of pixels to a share of a side; halves round up. */
const pixels = (ratio: number, side: number): number => Math.floor(ratio * side + 0.5);

/** The images shifted by up to an eighth of their side: out[i, j] = x[i + down, j + right]. */
export const crop: Operation<{ readonly down: number; readonly right: number }> = {
  draw: (rng, [height, width]) => ({ down: shift(rng, height), right: shift(rng, width) }),
  apply: (images, sets) =>
    alongColumns(
      alongRows(
        images,
        sets,
        ({ down }) =>
          (i) =>
            i + down,
      ),
      sets,
      ({ right }) =>
        (j) =>
          j + right,
    ),
};

function shift(rng: Rng, side: number): number {
  const reach = pixels(cropRatio, side);
  return rng.integer(2 * reach + 1) - reach;
}

/** Columns mirrored, or not. */
export const flip: Operation<{ readonly mirrored: boolean }> = {
  draw: (rng) => ({ mirrored: rng.uniform() < 0.5 }),
  apply: (images, sets) => {
    const last = images.shape[2]! - 1;
    return alongColumns(
      images,
      sets,
      ({ mirrored }) =>
        (j) =>
          mirrored ? last - j : j,
    );
  },
};

/** Columns and rows stretched about the center by 1/s: out(i, j) = x(cy + rows (i − cy), cx + columns (j − cx)). */
export const scale: Operation<{ readonly columns: number; readonly rows: number }> = {
  draw: (rng) => ({ columns: factor(rng), rows: factor(rng) }),
  apply(images, sets) {
    const [, height, width] = images.shape as [number, number, number, number];
    const about =
      (center: number, s: number) =>
      (k: number): number =>
        center + s * (k - center);
    return alongColumns(
      alongRows(images, sets, ({ rows }) => about((height - 1) / 2, rows)),
      sets,
      ({ columns }) => about((width - 1) / 2, columns),
    );
  },
};

function factor(rng: Rng): number {
  return rng.uniform() * (scaleRatio - 1 / scaleRatio) + 1 / scaleRatio;
}

/** A square hole of half the side, which the border may cut; `row`, `column` are its center. */
export const cutout: Operation<{ readonly row: number; readonly column: number }> = {
  draw: (rng, [height, width]) => ({ row: holeCenter(rng, height), column: holeCenter(rng, width) }),
  apply(images, sets) {
    const [, height, width] = images.shape as [number, number, number, number];
    const { engine } = images;
    const centers = (axis: "row" | "column"): number[] => sets.map((set) => set[axis]);
    const rows = engine.tensor([sets.length, height, 1, 1], spans(height, centers("row")));
    const columns = engine.tensor([sets.length, 1, width, 1], spans(width, centers("column")));
    const hole = rows.mul(columns);
    return images.mul(hole.neg().add(1));
  },
};

function holeCenter(rng: Rng, side: number): number {
  const odd = pixels(cutoutRatio, side) % 2;
  return rng.integer(side + 1 - odd);
}

/** 1 where the hole covers the side, else 0; one row per center. */
function spans(side: number, centers: readonly number[]): Float32Array {
  const length = pixels(cutoutRatio, side);
  const covered = new Float32Array(centers.length * side);
  centers.forEach((center, i) => {
    const begin = center - Math.floor(length / 2);
    covered.fill(1, i * side + Math.max(begin, 0), i * side + Math.min(begin + length, side));
  });
  return covered;
}

/** The images turned about their center by up to 15°, as if by `angle` radians from columns to rows. */
export const rotate: Operation<{ readonly angle: number }> = {
  draw: (rng) => ({ angle: ((rng.uniform() - 0.5) * 2 * rotationDegrees * Math.PI) / 180 }),
  apply(images, sets) {
    const [n, height, width, channels] = images.shape as [number, number, number, number];
    const angles = sets.map((set) => set.angle);
    const { indices, weights } = rotationTaps(height, width, angles);
    const { engine } = images;
    const bordered = images.pad([
      [0, 0],
      [1, 1],
      [1, 1],
      [0, 0],
    ]);
    // One set of taps for all images, or a stretch of the taps for each: then all images are one list of pixels.
    const lists = sets.length === 1 ? n : 1;
    const pixelCount = (n / lists) * height * width;
    return bordered
      .reshape([lists, (n / lists) * (height + 2) * (width + 2), channels])
      .gather(engine.indices(indices), 1)
      .reshape([lists, 4, pixelCount, channels])
      .mul(engine.tensor([4, pixelCount, 1], weights))
      .sum(1)
      .reshape(images.shape);
  },
};

/**
 * Where each pixel of the turned images comes from: the four neighbors of a point and their bilinear weights,
 * [4, angles · height · width]. Positions count in images with a border of one zero, which stands for all beyond.
 */
function rotationTaps(
  height: number,
  width: number,
  angles: readonly number[],
): { indices: Int32Array; weights: Float64Array } {
  const stride = width + 2;
  const area = (height + 2) * stride;
  const count = angles.length * height * width;
  const indices = new Int32Array(4 * count);
  const weights = new Float64Array(4 * count);
  const [cy, cx] = [(height - 1) / 2, (width - 1) / 2];
  const fill = (p: number, image: number, y: number, x: number): void => {
    const row = Math.min(Math.floor(y), height - 1);
    const column = Math.min(Math.floor(x), width - 1);
    for (let tap = 0; tap < 4; tap++) {
      const [down, right] = [tap >> 1, tap & 1];
      indices[tap * count + p] = image * area + (row + 1 + down) * stride + column + 1 + right;
      weights[tap * count + p] = (1 - Math.abs(y - row - down)) * (1 - Math.abs(x - column - right));
    }
  };
  angles.forEach((angle, image) => {
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    for (let q = 0; q < height * width; q++) {
      const [i, j] = [Math.floor(q / width) - cy, (q % width) - cx];
      const y = clamp(cy + sin * j + cos * i, height);
      const x = clamp(cx + cos * j - sin * i, width);
      fill(image * height * width + q, image, y, x);
    }
  });
  return { indices, weights };
}

/** The coordinate, or the border's where it lies beyond. */
function clamp(coordinate: number, side: number): number {
  return Math.min(Math.max(coordinate, -1), side);
}

/**
 * Rows sampled anew: out[i] = x[source(i)], linear between rows, zero outside. As a linear map of the rows it is one
 * matrix product, with one matrix for all images or one for each.
 */
function alongRows<P>(
  images: Tensor,
  sets: readonly P[],
  source: (set: P) => (row: number) => number,
): Tensor {
  const [n, height, width, channels] = images.shape as [number, number, number, number];
  const matrices = new Float64Array(sets.length * height * height);
  sets.forEach((set, image) => {
    const from = source(set);
    for (let i = 0; i < height; i++) {
      const y = from(i);
      const near = Math.floor(y);
      const row = (image * height + i) * height;
      if (near >= 0 && near < height) matrices[row + near] = 1 - (y - near);
      if (near + 1 >= 0 && near + 1 < height) matrices[row + near + 1] = y - near;
    }
  });
  const shape = sets.length === 1 ? [height, height] : [n, height, height];
  const matrix = images.engine.tensor(shape, matrices);
  return matrix.matMul(images.reshape([n, height, width * channels])).reshape(images.shape);
}

/** The same for columns. */
function alongColumns<P>(
  images: Tensor,
  sets: readonly P[],
  source: (set: P) => (column: number) => number,
): Tensor {
  const swapped = [0, 2, 1, 3];
  return alongRows(images.transpose(swapped), sets, source).transpose(swapped);
}
