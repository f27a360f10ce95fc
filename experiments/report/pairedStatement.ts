import { pluralOf } from "./labels.ts";
import { points, pointsInterval } from "./numbers.ts";
import type { PairedComparison } from "./pairedComparisons.ts";

type Stated = Pick<PairedComparison, "kind" | "change" | "against" | "pairing">;

/** "difficultyCorrection changes dc by +0.12 points [−0.40, +0.64], 3 pairs": a paired difference, to be quoted. */
export function statementOf({ kind, change, against, pairing: { difference } }: Stated): string {
  const what = kind === "methods" ? `${change} differs from ${against}` : `${change} changes ${against}`;
  if (!difference) return `${change} and ${against} have no seed in common to be compared by`;
  const { mean, interval, differences } = difference;
  const evidence = interval
    ? `${pointsInterval(interval)}, ${pluralOf(differences.length, "pair")}`
    : "(1 pair, too few for an interval)";
  return `${what} by ${points(mean)} points ${evidence}`;
}
