import { normalDensity } from "./normalLaw.ts";
import type { MarginWindow } from "./pruning.ts";
import { eachNode, gaussLegendre, panels } from "./quadrature.ts";
import { shortfall } from "./shortfall.ts";

/**
 * The direction of a student, in units of its part in those dimensions that neither teacher nor probe has a part in:
 *
 *     J = w(a J_p + b T⊥ + J⊥),   w = 1/√(1 + a² + b²),   T = cos θ J_p + sin θ T⊥
 */
export interface Direction {
  /** a, along the probe; ρ = aw. */
  readonly along: number;
  /** b, along what the teacher adds to the probe. */
  readonly beside: number;
}

/** Examples that a probe keeps. */
export interface KeptExamples {
  /** α_tot. */
  readonly examples: number;
  /** θ, the probe's angle to the teacher in radians, above 0. */
  readonly theta: number;
  /** Margins under the probe that are kept. */
  readonly window: MarginWindow;
}

/**
 * α_tot times the expectation, over examples that are kept, of what `shortfall` has of c = k − az − bu, and of its products
 * with z, the example's margin under the probe, and u, that along T⊥, both signed by its label.
 */
export interface KeptMoments {
  readonly square: number;
  readonly mean: number;
  readonly zMean: number;
  readonly uMean: number;
  readonly chance: number;
  readonly zChance: number;
  readonly uChance: number;
  readonly zzChance: number;
  readonly zuChance: number;
  readonly uuChance: number;
}

/** Nodes of a panel: with 12, errors of students are exact to 1e-9. */
const RULE = gaussLegendre(12);
/** No standard normal number is larger, to 1e-17. */
const END = 8.5;
/** Below c = −8 nothing falls short. */
const NONE = 8;
/** Where φ changes, from the window's lower edge on; and about 0. */
const [EDGE, BELL] = [
  [1, 2.5, 5],
  [-2.5, 0, 2.5],
];
/** Where a step of unit width changes, about its middle. */
const STEP = [-6, -3, 0, 3, 6];

/**
 * The moments of a student whose margin has to be k, in the units of its direction.
 *
 * By symmetry, examples of label 1 are half of all: (z, u) standard normal with z cos θ + u sin θ > 0 and |z| in the
 * window. The student's margin is w(az + bu + v) with v, of all other dimensions, standard normal too.
 */
export function keptMoments(
  { along, beside }: Direction,
  margin: number,
  { examples, theta, window: { low, high } }: KeptExamples,
): KeptMoments {
  const width = Math.hypot(1, beside);
  const inner = [low, -low].flatMap((edge, i) => EDGE.map((t) => (i === 0 ? edge + t : edge - t)));
  const turned = STEP.map((t) => t * Math.tan(theta)); // there the label goes with the probe's sign
  const breaks = [...inner, ...turned, ...stepBreaks(along / width, margin / width)];
  const sums = new Float64Array(10);
  const at = new Float64Array(6);
  const add = (z: number, weight: number): void => {
    momentsBeside({ center: margin - along * z, beside, from: -z / Math.tan(theta) }, at);
    const mass = 2 * examples * weight * normalDensity(z);
    sums[0]! += mass * at[0]!;
    sums[1]! += mass * at[1]!;
    sums[2]! += mass * at[1]! * z;
    sums[3]! += mass * at[2]!;
    sums[4]! += mass * at[3]!;
    sums[5]! += mass * at[3]! * z;
    sums[6]! += mass * at[4]!;
    sums[7]! += mass * at[3]! * z * z;
    sums[8]! += mass * at[4]! * z;
    sums[9]! += mass * at[5]!;
  };
  const end = Math.min(high, END);
  eachNode(panels(-end, -low, breaks), RULE, add);
  eachNode(panels(low, end, breaks), RULE, add);
  return named(sums);
}

function named(sums: Float64Array): KeptMoments {
  const at = (i: number): number => sums[i]!;
  return {
    square: at(0),
    mean: at(1),
    zMean: at(2),
    uMean: at(3),
    chance: at(4),
    zChance: at(5),
    uChance: at(6),
    zzChance: at(7),
    zuChance: at(8),
    uuChance: at(9),
  };
}

/** Breaks for a function of center − slope·x: where it is 0, and around that where it is steep. */
function stepBreaks(slope: number, center: number): number[] {
  return Math.abs(slope) > 1 ? STEP.map((t) => (center + t) / slope) : [];
}

/** What is left to integrate once z is given: c = center − beside·u, over u above `from`. */
interface Beside {
  readonly center: number;
  readonly beside: number;
  readonly from: number;
}

/** Integrals over u of what `shortfall` has: square, mean, u mean, chance, u chance, u² chance. */
function momentsBeside({ center, beside, from }: Beside, out: Float64Array): void {
  out.fill(0);
  const reach = beside === 0 ? (center < -NONE ? -Infinity : Infinity) : (center + NONE) / beside;
  const start = Math.max(-END, from, beside < 0 ? reach : -END);
  const end = Math.min(END, beside < 0 ? END : reach);
  const edges = panels(start, end, [...BELL, ...stepBreaks(beside, center)]);
  const moments = new Float64Array(4);
  eachNode(edges, RULE, (u, weight) => {
    shortfall(center - beside * u, moments);
    const mass = weight * normalDensity(u);
    out[0]! += mass * moments[3]!;
    out[1]! += mass * moments[2]!;
    out[2]! += mass * moments[2]! * u;
    out[3]! += mass * moments[1]!;
    out[4]! += mass * moments[1]! * u;
    out[5]! += mass * moments[1]! * u * u;
  });
}
