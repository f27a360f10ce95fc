import type { Rng } from "../../core/rng.ts";
import { BINS, binOf } from "./histogram.ts";

/** What was drawn of a class's pool. */
export interface DrawnImages {
  /** Positions in the pool, in the order of the draw; none twice. */
  readonly positions: readonly number[];
  /** How many of them were drawn for each bin from it. */
  readonly taken: readonly number[];
  /** How many were drawn at random from all that was left, for bins that had too few. */
  readonly filled: number;
}

/**
 * Draws as many images of each bin as are demanded, uniformly without replacement, or all where it has fewer. What is then
 * missing is drawn uniformly from all images that are left, whatever their bin. Where these do not suffice either, fewer are
 * drawn than demanded.
 *
 * @param transformed difficulty of each image, in [0, 1].
 * @param demanded images of each bin.
 */
export function drawBins(transformed: Float64Array, demanded: readonly number[], rng: Rng): DrawnImages {
  const bins: number[][] = Array.from({ length: BINS }, () => []);
  transformed.forEach((value, i) => bins[binOf(value)]!.push(i));
  const drawn = bins.map((members, bin) => sample(members, demanded[bin]!, rng.stream(`bin/${bin}`)));
  const inBins = new Set(drawn.flat());
  const left = Array.from(transformed.keys()).filter((i) => !inBins.has(i));
  const deficit = demanded.reduce((sum, count) => sum + count, 0) - inBins.size;
  const filled = sample(left, deficit, rng.stream("fill"));
  return {
    positions: [...drawn.flat(), ...filled],
    taken: drawn.map((members) => members.length),
    filled: filled.length,
  };
}

/** Up to `count` of the members, in random order. */
function sample(members: readonly number[], count: number, rng: Rng): number[] {
  return Array.from(rng.permutation(members.length).subarray(0, count), (at) => members[at]!);
}
