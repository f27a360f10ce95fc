import { check } from "../core/errors.ts";

/** Where to look for a root, and how well it has to be known. */
export interface Bracket {
  readonly from: number;
  readonly to: number;
  /** Absolute error of the root that is good enough. */
  readonly tolerance: number;
}

/** A bisection alone would end sooner on any bracket of doubles. */
const STEPS = 2000;

/**
 * The root of a continuous function in a bracket, at whose ends it has different signs: inverse quadratic interpolation
 * where three points allow it, and bisection elsewhere (Chandrupatla, Advances in Engineering Software 28(3), 1997).
 *
 * @throws InputError where the signs at the ends are equal, or a value is no number.
 */
export function root(f: (x: number) => number, { from, to, tolerance }: Bracket): number {
  let [a, b, c] = [to, from, from];
  let [fa, fb] = [f(a), f(b)];
  let fc = fb;
  check(
    fa * fb <= 0,
    () =>
      `root: expected different signs at the ends of the bracket, got f(${from}) = ${fb}, f(${to}) = ${fa}`,
  );
  let share = 0.5;
  for (let step = 0; step < STEPS; step++) {
    const x = a + share * (b - a);
    const fx = f(x);
    check(!Number.isNaN(fx), () => `root: expected a number, got f(${x}) = NaN`);
    if (Math.sign(fx) === Math.sign(fa)) [c, fc] = [a, fa];
    else [c, b, fc, fb] = [b, a, fb, fa];
    [a, fa] = [x, fx];
    const best = Math.abs(fb) < Math.abs(fa) ? b : a;
    const least = (2 * Number.EPSILON * Math.abs(best) + tolerance / 2) / Math.abs(b - a);
    if (least > 0.5 || fa === 0 || fb === 0) return best;
    share = Math.min(Math.max(proposed([a, b, c], [fa, fb, fc]), least), 1 - least);
  }
  throw new Error(`internal: no root between ${from} and ${to}`);
}

/** Share of the way from a to b: by inverse quadratic interpolation where that is monotonic, else one half. */
function proposed(
  [a, b, c]: readonly [number, number, number],
  [fa, fb, fc]: readonly [number, number, number],
): number {
  const xi = (a - b) / (c - b);
  const phi = (fa - fb) / (fc - fb);
  if (!(phi * phi < xi && (1 - phi) * (1 - phi) < 1 - xi)) return 0.5;
  return (fa / (fb - fa)) * (fc / (fb - fc)) + ((((c - a) / (b - a)) * fa) / (fc - fa)) * (fb / (fc - fb));
}
