import type { Rng } from "../core/rng.ts";
import type { Tensor } from "../engines/index.ts";
import type { Operation } from "./augment.ts";

type Parameters = {
  /** Added to every value, in −½ … ½ (normalized units). */
  readonly brightness: number;
  /** Factor on the distance of each pixel's channels from their mean, in 0 … 2. */
  readonly saturation: number;
  /** Factor on the distance of all values from the image's mean, in ½ … 1½. */
  readonly contrast: number;
};

/** Brightness, then saturation, then contrast. */
export const color: Operation<Parameters> = {
  draw: (rng: Rng) => ({
    brightness: rng.uniform() - 0.5,
    saturation: 2 * rng.uniform(),
    contrast: rng.uniform() + 0.5,
  }),
  apply(images, sets) {
    const column = (values: readonly number[]): number | Tensor =>
      values.length === 1 ? values[0]! : images.engine.tensor([values.length, 1, 1, 1], values);
    const brightened = images.add(column(sets.map(({ brightness }) => brightness)));
    const saturated = stretched(brightened, 3, column(sets.map(({ saturation }) => saturation)));
    return stretched(saturated, [1, 2, 3], column(sets.map(({ contrast }) => contrast)));
  },
};

/** (x − m) factor + m, where m is the mean over `axes`; it takes part in the gradient. */
function stretched(x: Tensor, axes: number | readonly number[], factor: number | Tensor): Tensor {
  const mean = x.mean(axes, true);
  return x.sub(mean).mul(factor).add(mean);
}
