import { expect, test } from "@jest/globals";
import { agreement } from "./agreement.ts";

const prunings = [0, 10, 30].flatMap((angle) =>
  (["hard", "easy"] as const).flatMap((keep) =>
    [0.2, 0.5, 0.8].flatMap((fraction) => [1, 2, 4].map((examples) => ({ examples, fraction, keep, angle }))),
  ),
);

test("30 trials in 200 dimensions agree with the theory, for every kind of probe and pruning", () => {
  const deviations = prunings.map(
    (pruning) => agreement(pruning, { dimensions: 200, trials: 30 }).error.deviations,
  );
  const within = (limit: number): number =>
    deviations.filter((one) => Math.abs(one) < limit).length / deviations.length;
  // Of 54 independent ones 0.3 are expected beyond 3 standard errors and 2.7 beyond 2, were there no bias at all.
  expect(Math.max(...deviations.map(Math.abs))).toBeLessThan(4.5);
  expect(within(3)).toBeGreaterThan(0.94);
  expect(within(2)).toBeGreaterThan(0.85);
}, 900_000);
