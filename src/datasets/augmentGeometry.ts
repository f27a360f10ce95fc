import type { Rng } from "../core/rng.ts";
import type { Operation } from "./augment.ts";
import { type Affine, resampled } from "./resample.ts";

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

/** The image shifted by up to an eighth of its side: out[i, j] = x[i + down, j + right]. */
export const crop: Operation<{ readonly down: number; readonly right: number }> = {
  draw: (rng, [height, width]) => ({ down: shift(rng, height), right: shift(rng, width) }),
  apply: (images, sets) =>
    resampled(
      images,
      sets.map(({ down, right }) => ({ row: [down, 1, 0], column: [right, 0, 1] })),
    ),
};

function shift(rng: Rng, side: number): number {
  const reach = pixels(cropRatio, side);
  return rng.integer(2 * reach + 1) - reach;
}

/** Left and right exchanged, or not: out[i, j] = x[i, w − 1 − j]. */
export const flip: Operation<{ readonly mirrored: boolean }> = {
  draw: (rng) => ({ mirrored: rng.uniform() < 0.5 }),
  apply(images, sets) {
    const last = images.shape[2]! - 1;
    const mirror: Affine = { row: [0, 1, 0], column: [last, 0, -1] };
    const identity: Affine = { row: [0, 1, 0], column: [0, 0, 1] };
    return resampled(
      images,
      sets.map(({ mirrored }) => (mirrored ? mirror : identity)),
    );
  },
};

/** The image stretched about its center: out(i, j) = x(cy + rows (i − cy), cx + columns (j − cx)). */
export const scale: Operation<{ readonly columns: number; readonly rows: number }> = {
  draw: (rng) => ({ columns: factor(rng), rows: factor(rng) }),
  apply(images, sets) {
    const [cy, cx] = [(images.shape[1]! - 1) / 2, (images.shape[2]! - 1) / 2];
    return resampled(
      images,
      sets.map(({ rows, columns }) => ({
        row: [cy - rows * cy, rows, 0],
        column: [cx - columns * cx, 0, columns],
      })),
    );
  },
};

function factor(rng: Rng): number {
  return rng.uniform() * (scaleRatio - 1 / scaleRatio) + 1 / scaleRatio;
}

/** The image turned about its center by up to 15°; a positive `angle`, in radians, turns it counterclockwise. */
export const rotate: Operation<{ readonly angle: number }> = {
  draw: (rng) => ({ angle: ((rng.uniform() - 0.5) * 2 * rotationDegrees * Math.PI) / 180 }),
  apply(images, sets) {
    const [cy, cx] = [(images.shape[1]! - 1) / 2, (images.shape[2]! - 1) / 2];
    return resampled(
      images,
      sets.map(({ angle }) => {
        const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
        return { row: [cy - sin * cx - cos * cy, cos, sin], column: [cx - cos * cx + sin * cy, -sin, cos] };
      }),
    );
  },
};

/** A square hole of half the side, which the border may cut; `row` and `column` are its center. */
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

/** 1 where the hole covers the side, else 0; one row for each center. */
function spans(side: number, centers: readonly number[]): Float32Array {
  const length = pixels(cutoutRatio, side);
  const covered = new Float32Array(centers.length * side);
  centers.forEach((center, i) => {
    const begin = center - Math.floor(length / 2);
    covered.fill(1, i * side + Math.max(begin, 0), i * side + Math.min(begin + length, side));
  });
  return covered;
}
