import { type Direction, type KeptExamples, keptMoments } from "./keptMoments.ts";
import { checkedPruning, keptMargins, type Pruning } from "./pruning.ts";
import { root } from "./root.ts";
import { type SaddlePoint, testError } from "./saddlePoint.ts";

/** V with its first and second derivatives in a and b. */
interface Shortfall {
  readonly value: number;
  readonly slope: readonly [a: number, b: number];
  readonly curvature: readonly [aa: number, ab: number, bb: number];
}

/**
 * V(a, b) = α_tot E[(k − az − bu − v)₊²] over kept examples, k = κn, n = √(1 + a² + b²): the squared length by which margins of
 * a student fall short of κ, in units of what the dimensions beside teacher and probe can make up for. A student of margin κ
 * exists where V ≤ 1. V is convex in (a, b), since the square rises with k, and k is convex.
 */
function shortfallOf(direction: Direction, kappa: number, kept: KeptExamples): Shortfall {
  const { along: a, beside: b } = direction;
  const n = Math.sqrt(1 + a * a + b * b);
  const m = keptMoments(direction, kappa * n, kept);
  const [ka, kb] = [(kappa * a) / n, (kappa * b) / n];
  const bend = (m.mean * kappa) / n;
  return {
    value: m.square,
    slope: [2 * (m.mean * ka - m.zMean), 2 * (m.mean * kb - m.uMean)],
    curvature: [
      2 * (m.zzChance - 2 * m.zChance * ka + m.chance * ka * ka + bend * (1 - (a * a) / (n * n))),
      2 * (m.zuChance - m.zChance * kb - m.uChance * ka + m.chance * ka * kb - bend * ((a * b) / (n * n))),
      2 * (m.uuChance - 2 * m.uChance * kb + m.chance * kb * kb + bend * (1 - (b * b) / (n * n))),
    ],
  };
}

/** Relative step after which Newton's method is exact to rounding; steps until then; shortest part of a step. */
const [NEAR, STEPS, SHORTEST] = [1e-7, 200, 1e-9];
/** Share of the foreseen descent that a step has to bring. */
const DESCENT = 0.1;
/** A V below this is far enough below 1: its least value need not be known, and may be too small for doubles. */
const ENOUGH = 0.3;

/** The direction of least V for a margin κ, by Newton's method with backtracking; where V < 0.3, any such direction. */
function leastShortfall(
  kappa: number,
  start: Direction,
  kept: KeptExamples,
): { readonly direction: Direction; readonly value: number } {
  let at = start;
  let now = shortfallOf(at, kappa, kept);
  for (let count = 0; count < STEPS && now.value > ENOUGH; count++) {
    const [a, b] = newtonStep(now);
    const foreseen = a * now.slope[0] + b * now.slope[1];
    const moved = (share: number): Direction => ({
      along: at.along + share * a,
      beside: at.beside + share * b,
    });
    if (Math.hypot(a, b) < NEAR * Math.hypot(1, at.along, at.beside)) {
      return { direction: moved(1), value: now.value + foreseen / 2 };
    }
    let share = 1;
    let next = shortfallOf(moved(share), kappa, kept);
    while (next.value > now.value + DESCENT * share * foreseen) {
      share /= 2;
      if (share < SHORTEST) return { direction: at, value: now.value }; // rounding hides what is left to descend
      next = shortfallOf(moved(share), kappa, kept);
    }
    [at, now] = [moved(share), next];
  }
  return { direction: at, value: now.value };
}

function newtonStep({ slope: [a, b], curvature: [aa, ab, bb] }: Shortfall): [a: number, b: number] {
  const determinant = aa * bb - ab * ab;
  return [(ab * b - bb * a) / determinant, (ab * a - aa * b) / determinant];
}

/** Steps of ln κ in search of a bracket, and its error in the end. */
const [STRIDE, PRECISION] = [0.5, 1e-12];

/**
 * The student of an imperfect probe, θ > 0: the largest margin κ that any direction of the student allows.
 *
 * The least V rises with κ, and is 1 at the largest margin. There, ∂V/∂a = ∂V/∂b = 0 and V = 1 are the three saddle-point
 * equations of Sorscher et al. (2022, appendix) after integration by parts. In this form nothing is singular as θ → 0, and
 * the solution is found from anywhere, since V is convex.
 *
 * @throws InputError for a pruning out of range, and an angle of 0.
 */
export function imperfectProbe(pruning: Pruning): SaddlePoint {
  const { theta, examples, fraction, keep } = checkedPruning("imperfectProbe", pruning);
  const kept = { theta, examples, window: keptMargins({ fraction, keep }) };
  let direction: Direction = { along: 0, beside: 0 };
  const excess = (logMargin: number): number => {
    const least = leastShortfall(Math.exp(logMargin), direction, kept);
    direction = least.direction;
    return Math.log(least.value);
  };
  let to = -Math.log(fraction * examples) / 2; // κ of a student that learns nothing, where examples are few
  while (excess(to) < 0) to += STRIDE;
  let from = to - STRIDE;
  while (excess(from) > 0) [from, to] = [from - STRIDE, from];
  const kappa = Math.exp(root(excess, { from, to, tolerance: PRECISION }));
  const { along: a, beside: b } = leastShortfall(kappa, direction, kept).direction;
  const n = Math.sqrt(1 + a * a + b * b);
  const toTeacher = a * Math.cos(theta) + b * Math.sin(theta);
  const away = Math.hypot(1, a * Math.sin(theta) - b * Math.cos(theta));
  return {
    error: testError(Math.atan2(away, toTeacher)),
    overlap: toTeacher / n,
    probeOverlap: a / n,
    margin: kappa,
  };
}
