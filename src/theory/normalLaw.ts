import { check, shown } from "../core/errors.ts";

/** φ(x) = exp(−x²/2)/√(2π), the density of the standard normal law. */
export function normalDensity(x: number): number {
  return Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
}

/** Where the continued fraction is as good as the rational function, and from where no double is above 0. */
const [FAR, END] = [5 * Math.SQRT2, 38.6];

/**
 * H(x) = ½ erfc(x/√2), the probability that a standard normal number is above x; to 2e-16, and to 3e-12 of itself up to
 * x = 4.
 *
 * Up to 5√2 by the rational function of Hart et al. (Computer Approximations, 1968, algorithm 5666), beyond by the
 * continued fraction of Mills' ratio H/φ, both as in West (Better approximations to cumulative normal functions, 2005).
 */
export function normalTail(x: number): number {
  if (x < 0) return 1 - normalTail(-x);
  if (x > END) return 0;
  const bell = Math.exp(-0.5 * x * x);
  if (x >= FAR) return bell / (x + 1 / (x + 2 / (x + 3 / (x + 4 / (x + 0.65))))) / Math.sqrt(2 * Math.PI);
  let above = 3.52624965998911e-2 * x + 0.700383064443688;
  above = ((above * x + 6.37396220353165) * x + 33.912866078383) * x + 112.079291497871;
  above = (above * x + 221.213596169931) * x + 220.206867912376;
  let below = 8.83883476483184e-2 * x + 1.75566716318264;
  below = ((below * x + 16.064177579207) * x + 86.7807322029461) * x + 296.564248779674;
  below = ((below * x + 637.333633378831) * x + 793.826512519948) * x + 440.413735824752;
  return (bell * above) / below;
}

/** Newton's steps from 0 end sooner for every double. */
const STEPS = 60;

/**
 * H⁻¹(p), the x that a standard normal number exceeds with probability p; infinite at 0 and 1.
 *
 * Newton's method on ln H, which is concave and falls: after the first step from 0 all are on one side of the root.
 *
 * @throws InputError for p outside of [0, 1].
 */
export function normalTailInverse(p: number): number {
  check(p >= 0 && p <= 1, () => `normalTailInverse: expected a probability, 0 to 1, got ${shown(p)}`);
  if (p > 0.5) return -normalTailInverse(1 - p);
  if (p === 0) return Infinity;
  let x = 0;
  for (let step = 0; step < STEPS; step++) {
    const tail = normalTail(x);
    const next = x + (Math.log(tail / p) * tail) / normalDensity(x);
    if (Math.abs(next - x) <= 1e-15 * Math.max(1, x)) return next;
    x = next;
  }
  return x;
}
