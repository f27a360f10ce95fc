import { seeded } from "../../src/core/rng.ts";
import type { Pruning } from "../../src/theory/pruning.ts";
import type { SaddlePoint } from "../../src/theory/saddlePoint.ts";
import { saddlePoint } from "../../src/theory/scalingLaw.ts";
import { simulatedStudent } from "../../src/theory/simulation.ts";

/** A number as simulated and in theory. */
export interface Agreement {
  readonly simulated: number;
  readonly theory: number;
  /** Difference of the two in standard errors of the simulated mean. */
  readonly deviations: number;
}

/** Error, overlap with the probe and margin of some trials against the theory. */
export function agreement(
  pruning: Pruning,
  { dimensions, trials }: { readonly dimensions: number; readonly trials: number },
): Record<"error" | "probeOverlap" | "margin", Agreement> {
  const theory = saddlePoint(pruning);
  const rng = seeded(11).stream(JSON.stringify(pruning));
  const students = Array.from({ length: trials }, (_, i) =>
    simulatedStudent(pruning, dimensions, rng.stream(`trial/${i}`)),
  );
  const of = (key: keyof SaddlePoint): Agreement => {
    const values = students.map((student) => student[key]);
    const simulated = values.reduce((sum, value) => sum + value, 0) / trials;
    const squares = values.reduce((sum, value) => sum + (value - simulated) ** 2, 0);
    const standardError = Math.sqrt(squares / (trials - 1) / trials);
    return { simulated, theory: theory[key], deviations: (simulated - theory[key]) / standardError };
  };
  return { error: of("error"), probeOverlap: of("probeOverlap"), margin: of("margin") };
}
