import { normalTail } from "./normalLaw.ts";

/** Below, moments of the shortfall are differences of nearly equal numbers, and all are below 6e-16. */
const NONE = -8;
const ROOT = Math.sqrt(2 * Math.PI);

/**
 * What is expected of (c − v)₊, by how far a standard normal v falls short of c:
 *
 *     φ(c),   P(v < c) = Φ(c),   E(c − v)₊ = cΦ(c) + φ(c),   E(c − v)₊² = (1 + c²)Φ(c) + cφ(c)
 *
 * Each is the derivative of the next, but for a factor of 2 in the last.
 *
 * @param out where the four go, in this order; zeros below c = −8.
 */
export function shortfall(c: number, out: Float64Array): void {
  if (c < NONE) {
    out[0] = out[1] = out[2] = out[3] = 0;
    return;
  }
  const density = Math.exp(-0.5 * c * c) / ROOT;
  const chance = normalTail(-c);
  const mean = c * chance + density;
  out[0] = density;
  out[1] = chance;
  out[2] = mean;
  out[3] = chance + c * mean;
}
