import { imperfectProbe } from "./imperfectProbe.ts";
import { perfectProbe } from "./perfectProbe.ts";
import { checkedPruning, type Pruning } from "./pruning.ts";
import type { SaddlePoint } from "./saddlePoint.ts";

/**
 * What a perceptron learns from the part of its training set that a probe keeps: the theory of data pruning of Sorscher et
 * al. (Beyond neural scaling laws, NeurIPS 2022).
 *
 * Examples x are standard normal in N dimensions, labelled by a teacher, y = sign(T·x). The α_tot·N examples are sorted by
 * their margin |J_p·x| under a probe at the angle θ to the teacher, and a student is trained to the largest margin on the
 * fraction f of the smallest margins (hard) or of the largest (easy). As N grows, its test error tends to a number, which
 * this is; f = 1 prunes nothing.
 *
 * @throws InputError for α_tot that is not above 0, f outside of (0, 1], θ outside of 0 to 90 degrees.
 */
export function saddlePoint(pruning: Pruning): SaddlePoint {
  const { angle, fraction } = checkedPruning("saddlePoint", pruning);
  // A probe that prunes nothing has no say; its part in the student is then that of the teacher.
  if (angle === 0) return perfectProbe(pruning);
  if (fraction < 1) return imperfectProbe(pruning);
  const student = perfectProbe(pruning);
  return { ...student, probeOverlap: student.overlap * Math.cos((angle * Math.PI) / 180) };
}
