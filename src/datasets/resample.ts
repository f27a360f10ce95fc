import type { Engine, Tensor } from "../engines/index.ts";

/** Coefficients of a coordinate in (1, i, j): the source of the pixel in row i and column j. */
type Coefficients = readonly [constant: number, perRow: number, perColumn: number];

/** Where each pixel of a new image comes from in the old one, in pixels; may lie between pixels and outside. */
export interface Affine {
  readonly row: Coefficients;
  readonly column: Coefficients;
}

/** Rows and columns of zeros around an image, which stand for all outside: a neighbor may lie one beyond the last. */
const before = 1;
const behind = 2;

/**
 * Images sampled at affinely moved positions, [n, h, w, c]: bilinear between pixels, zero outside. Linear in the images.
 *
 * @param maps one for all images, or one for each.
 */
export function resampled(images: Tensor, maps: readonly Affine[]): Tensor {
  const [n, height, width, channels] = images.shape as [number, number, number, number];
  const { engine } = images;
  const { taps, positions, weights } = neighbors(height, width, maps, engine.dtype);
  const bordered = images.pad([
    [0, 0],
    [before, behind],
    [before, behind],
    [0, 0],
  ]);
  // With one map, every image is a list of pixels to pick from; with one for each, all images are one list.
  const lists = maps.length === 1 ? n : 1;
  const picked = bordered
    .reshape([lists, (n / lists) * (height + before + behind) * (width + before + behind), channels])
    .gather(engine.indices(positions), 1);
  if (taps === 1) return picked.reshape(images.shape);
  const count = maps.length * height * width;
  return picked
    .reshape([lists, taps, count, channels])
    .mul(engine.tensor([taps, count, 1], weights))
    .sum(1)
    .reshape(images.shape);
}

interface Neighbors {
  /** Pixels that each new one is a mean of: 4, or 1 where all maps lead from whole positions to whole positions. */
  readonly taps: 1 | 4;
  /** Positions in images with their border, [taps, maps · h · w]. */
  readonly positions: Int32Array;
  /** Bilinear weights, of the same shape. */
  readonly weights: Float32Array | Float64Array;
}

function neighbors(
  height: number,
  width: number,
  maps: readonly Affine[],
  dtype: Engine["dtype"],
): Neighbors {
  const taps = maps.every(isWhole) ? 1 : 4;
  const stride = width + before + behind;
  const area = (height + before + behind) * stride;
  const count = maps.length * height * width;
  const positions = new Int32Array(taps * count);
  const weights = dtype === "float64" ? new Float64Array(taps * count) : new Float32Array(taps * count);
  let pixel = 0;
  const add = (first: number, y: number, x: number): void => {
    const row = Math.floor(y);
    const column = Math.floor(x);
    for (let tap = 0; tap < taps; tap++) {
      const down = tap >> 1;
      const right = tap & 1;
      positions[tap * count + pixel] = first + (row + before + down) * stride + column + before + right;
      weights[tap * count + pixel] = (1 - Math.abs(y - row - down)) * (1 - Math.abs(x - column - right));
    }
    pixel++;
  };
  maps.forEach(({ row, column }, map) => {
    for (let i = 0; i < height; i++) {
      for (let j = 0; j < width; j++) {
        const y = row[0] + row[1] * i + row[2] * j;
        const x = column[0] + column[1] * i + column[2] * j;
        // Beyond the border, all is zero as on it.
        add(map * area, clamp(y, height), clamp(x, width));
      }
    }
  });
  return { taps, positions, weights };
}

function isWhole({ row, column }: Affine): boolean {
  return row.every(Number.isInteger) && column.every(Number.isInteger);
}

function clamp(coordinate: number, side: number): number {
  return Math.min(Math.max(coordinate, -1), side);
}
