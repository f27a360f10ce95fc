import { bind } from "../src/core/shape.ts";
import type { Tensor } from "../src/engines/index.ts";

/** Rounding of |x|² + |y|² − 2⟨x, y⟩ relative to |x|² + |y|²: a few units in the last place. */
const ROUNDING = { float64: 8 * 2 ** -52, float32: 8 * 2 ** -23 };

/**
 * Squared Euclidean distances by one matrix product:
 *
 *     r²ᵢⱼ = |xᵢ|² + |yⱼ|² − 2⟨xᵢ, yⱼ⟩
 *
 * Both samples are first moved by the mean of y, which takes the common offset out of the cancellation. What the
 * formula's rounding cannot tell from zero is zero, with zero gradient: equal points have distance 0 exactly.
 *
 * @param x [n, d]. @param y [m, d].
 * @returns [n, m], ≥ 0.
 */
export function squaredDistances(x: Tensor, y: Tensor): Tensor {
  bind("squaredDistances", [x, "n d"], [y, "m d"]);
  const center = y.mean(0, true).detach(); // [1, d]
  const a = x.sub(center);
  const b = y.sub(center);
  const norms = a.square().sum(1, true).add(b.square().sum(1, true).transpose()); // [n, m]
  const squares = norms.sub(a.matMul(b.transpose()).mul(2));
  const distinct = squares.greater(norms.detach().mul(ROUNDING[x.engine.dtype]));
  return squares.mul(distinct);
}

/**
 * Euclidean distances, [n, m]. Between equal points the gradient is zero, where that of a bare root is infinite.
 */
export function distances(x: Tensor, y: Tensor): Tensor {
  return safeRoot(squaredDistances(x, y));
}

/** √s with derivative 0 at s = 0: there the root is taken of 1, then 1 is subtracted again. */
function safeRoot(squares: Tensor): Tensor {
  const zero = squares.equal(0);
  return squares.add(zero).sqrt().sub(zero);
}

/**
 * Differences coordinate by coordinate, xᵢ − yⱼ, for kernels that are products over coordinates. Holds n·m·d numbers.
 *
 * @param x [n, d]. @param y [m, d].
 * @returns [n, m, d].
 */
export function differences(x: Tensor, y: Tensor): Tensor {
  const { n, m, d } = bind("differences", [x, "n d"], [y, "m d"]);
  return x.reshape([n!, 1, d!]).sub(y.reshape([1, m!, d!]));
}

/** L1 distances Σ_k |xᵢₖ − yⱼₖ|, [n, m]; the derivative of |t| at 0 is taken as 0. */
export function absoluteDistances(x: Tensor, y: Tensor): Tensor {
  return differences(x, y).abs().sum(2);
}

/**
 * Products over coordinates of a function of differences, Πₖ f(xᵢₖ − yⱼₖ), of either sign. Holds some n·m·d numbers.
 *
 * @param f of differences, elementwise.
 * @returns [n, m].
 */
export function coordinateProduct(x: Tensor, y: Tensor, f: (differences: Tensor) => Tensor): Tensor {
  const { n, m, d } = bind("coordinateProduct", [x, "n d"], [y, "m d"]);
  const columns = x
    .transpose()
    .reshape([d!, n!, 1])
    .sub(y.transpose().reshape([d!, 1, m!]));
  let factors = f(columns).reshape([d!, n! * m!]);
  // Halves by each other: no factor is divided by, and nothing but the result can leave the range of numbers.
  for (let left = d!; left > 1;) {
    const half = left >> 1;
    const pairs = factors.slice([0, 0], [half, n! * m!]).mul(factors.slice([half, 0], [half, n! * m!]));
    factors = left % 2 === 0 ? pairs : x.engine.concat([pairs, factors.slice([left - 1, 0], [1, n! * m!])]);
    left = half + (left % 2);
  }
  return factors.reshape([n!, m!]);
}
