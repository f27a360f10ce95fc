import { normalDensity } from "./normalLaw.ts";
import { checkedPruning, keptMargins, type MarginWindow, type Pruning } from "./pruning.ts";
import { eachNode, gaussLegendre, panels } from "./quadrature.ts";
import { root } from "./root.ts";
import { type SaddlePoint, testError } from "./saddlePoint.ts";
import { shortfall } from "./shortfall.ts";

/** Nodes of a panel; panels are short enough that 24 are exact to rounding. */
const RULE = gaussLegendre(24);
/** No standard normal number is larger, to 1e-20. */
const END = 9.5;
/** From the lower edge on, where φ changes; and around κ/R, in units of σ/R, where the margin is met. */
const [BELL, MET] = [
  [0.5, 1, 1.5, 2, 3, 4, 6],
  [-6, -3, -1.5, 0, 1.5, 3, 6],
];

/** The two integrals whose saddle point is the student. */
export interface PerfectIntegrals {
  /** A, 1 where κ is the largest margin of a student at this angle. */
  readonly A: number;
  /** B, above R where a smaller angle allows a larger margin. */
  readonly B: number;
}

/** A student at the angle ψ to the teacher, in radians, with the margin κ. */
export interface PerfectStudent {
  readonly angle: number;
  readonly margin: number;
}

/**
 * The saddle-point equations of a perceptron trained to the largest margin on examples kept by a perfect probe (Sorscher
 * et al. 2022, appendix), as integrals over the teacher's margin z, which is the probe's, from a to b:
 *
 *     A = 2α_tot ∫ φ(z) [(1 + c²)Φ(c) + cφ(c)] dz           = 1,   c = (κ − Rz)/σ,  R = cos ψ,  σ = sin ψ
 *     B = 2α_tot ∫ φ(z) [σz(cΦ(c) + φ(c)) + RΦ(c)] dz       = R
 *
 * The paper integrates over t = y J·x instead, where the same two numbers are differences of exponentials.
 *
 * @param examples α_tot.
 * @param kept margins from a to b.
 */
export function perfectIntegrals(
  { angle, margin }: PerfectStudent,
  examples: number,
  { low, high }: MarginWindow,
): PerfectIntegrals {
  const [R, sigma] = [Math.cos(angle), Math.sin(angle)];
  const met = MET.map((k) => (margin + k * sigma) / R);
  const far = R > 0 ? (margin + 9 * sigma) / R : Infinity;
  const edges = panels(low, Math.min(high, END, far), [...BELL.map((k) => low + k), ...met]);
  const moments = new Float64Array(4);
  let [A, B] = [0, 0];
  eachNode(edges, RULE, (z, weight) => {
    shortfall((margin - R * z) / sigma, moments);
    const mass = 2 * examples * weight * normalDensity(z);
    A += mass * moments[3]!;
    B += mass * (sigma * z * moments[2]! + R * moments[1]!);
  });
  return { A, B };
}

/** ln ψ is looked for from here, beyond what doubles tell from a perfect student; ψ to a millionth of a millionth. */
const [LEAST, PRECISION] = [1e-9, 1e-12];

/**
 * The student of a perfect probe (θ = 0): the largest margin over all angles to the teacher, at which A = 1 and B = R.
 *
 * @throws InputError for a pruning out of range; its angle is not looked at.
 */
export function perfectProbe(pruning: Pruning): SaddlePoint {
  const { examples } = checkedPruning("perfectProbe", pruning);
  const kept = keptMargins(pruning);
  const marginAt = (angle: number): number => largestMargin(angle, examples, kept);
  const logAngle = root(
    (at) => {
      const angle = Math.exp(at);
      return perfectIntegrals({ angle, margin: marginAt(angle) }, examples, kept).B - Math.cos(angle);
    },
    { from: Math.log(LEAST), to: Math.log(Math.PI / 2), tolerance: PRECISION },
  );
  const angle = Math.exp(logAngle);
  const overlap = Math.cos(angle);
  return { error: testError(angle), overlap, probeOverlap: overlap, margin: marginAt(angle) };
}

/** κ at which A = 1, for a given angle: A rises with κ, from 0 to infinity. */
function largestMargin(angle: number, examples: number, kept: MarginWindow): number {
  const excess = (margin: number): number => perfectIntegrals({ angle, margin }, examples, kept).A - 1;
  let [from, to] = [-1, 1];
  while (excess(from) > 0) from *= 2;
  while (excess(to) < 0) to *= 2;
  return root(excess, { from, to, tolerance: 1e-14 });
}
