/** A student trained on the part that was kept, in the limit of many dimensions. */
export interface SaddlePoint {
  /** ε = arccos(R)/π, the probability that it errs on a new example, 0 to ½. */
  readonly error: number;
  /** R, cosine of the angle between student and teacher. */
  readonly overlap: number;
  /** ρ, cosine of the angle between student and probe. */
  readonly probeOverlap: number;
  /** κ, the smallest margin of a kept example, for a student of length 1 and inputs of unit variance. */
  readonly margin: number;
}

/** ε = ψ/π of a student at the angle ψ to the teacher, in radians: the two disagree within a double wedge of it. */
export function testError(angle: number): number {
  return angle / Math.PI;
}
