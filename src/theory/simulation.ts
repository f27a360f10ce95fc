import { wholeNumber } from "../core/errors.ts";
import type { Rng } from "../core/rng.ts";
import { maxMargin } from "./maxMargin.ts";
import { checkedPruning, type Pruning } from "./pruning.ts";
import { type SaddlePoint, testError } from "./saddlePoint.ts";

/**
 * One trial of what `saddlePoint` says for infinitely many dimensions: draws examples, prunes them, and trains a student on
 * the rest to the exact largest margin.
 *
 * Teacher and probe are fixed unit vectors at the angle θ, since examples have no preferred direction. Of P = round(α_tot·N)
 * examples the round(fP) of the smallest or largest margins under the probe are kept, one at least.
 *
 * @param dimensions N, at least 2. Below some 100, errors on hard examples are lower than in the limit.
 * @throws InputError for a pruning out of range, and where no example is drawn.
 */
export function simulatedStudent(pruning: Pruning, dimensions: number, rng: Rng): SaddlePoint {
  const { theta, examples, fraction, keep } = checkedPruning("simulatedStudent", pruning);
  const N = wholeNumber("simulatedStudent.dimensions", dimensions, 2);
  const P = wholeNumber(
    "simulatedStudent: examples drawn, round(examples · dimensions)",
    Math.round(examples * N),
    1,
  );
  const x = rng.stream("examples").fillNormal(new Float64Array(P * N));
  // The probe is the first axis, the teacher in the plane of the first two.
  const margins = Float64Array.from({ length: P }, (_, i) => Math.abs(x[i * N]!));
  const order = Int32Array.from(margins.keys()).sort((i, j) => margins[i]! - margins[j]! || i - j);
  const kept = Math.max(1, Math.round(fraction * P));
  const members = keep === "hard" ? order.subarray(0, kept) : order.subarray(P - kept);
  const values = new Float64Array(kept * N);
  members.forEach((i, place) => {
    const own = x.subarray(i * N, (i + 1) * N);
    const label = Math.cos(theta) * own[0]! + Math.sin(theta) * own[1]! < 0 ? -1 : 1;
    for (let d = 0; d < N; d++) values[place * N + d] = label * own[d]!;
  });
  const { weights, margin } = maxMargin({ values, dimensions: N });
  const [along, beside] = [weights[0]! * margin, weights[1]! * margin];
  const overlap = along * Math.cos(theta) + beside * Math.sin(theta);
  return { error: testError(Math.acos(Math.min(1, overlap))), overlap, probeOverlap: along, margin };
}
