import type { Rng } from "../core/rng.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import type { Engine, Tensor } from "../engines/index.ts";

/** Thins a map, [n, ...]: each element is 0 with some probability, and else divided by the probability to stay. */
export type Dropout = (x: Tensor, site: number) => Tensor;

/**
 * Rolls the dice of dropout (Srivastava et al., JMLR 2014) for a batch. An element is dropped where
 *
 *     (r + s) mod 1 < rate,   r uniform for each image, s uniform for each place in a map
 *
 * So the masks of one image are those of independent dice, and any two elements of any two images are independent; yet
 * only n + h·w·c numbers are drawn for a map, not n·h·w·c, which would take longer than a step of the network on a GPU.
 *
 * @param rate 0 to below 1; at 0 nothing is dropped.
 * @param sites shapes of one image's maps, in the order that the network numbers them.
 */
export function drawDropout(
  engine: Engine,
  {
    rate,
    images,
    sites,
  }: { readonly rate: number; readonly images: number; readonly sites: readonly Shape[] },
  rng: Rng,
): Dropout | undefined {
  if (rate === 0) return undefined;
  const dice = sites.map((shape, site) => ({
    shape,
    places: rng.stream(`places/${site}`).fillUniform(new Float32Array(sizeOf(shape)), 0, 1),
    shifts: rng.stream(`images/${site}`).fillUniform(new Float32Array(images), 0, 1),
  }));
  return (x, site) => {
    const { shape, places, shifts } = dice[site]!;
    const sum = engine
      .tensor([1, ...shape], places)
      .add(engine.tensor([images, ...shape.map(() => 1)], shifts)); // in [0, 2)
    const stays = sum
      .greater(rate)
      .sub(sum.greater(1))
      .add(sum.greater(1 + rate)); // 1 or 0
    return x.mul(stays.mul(1 / (1 - rate)));
  };
}
