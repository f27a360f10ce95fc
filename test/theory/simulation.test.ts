import { expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { simulatedStudent } from "../../src/theory/simulation.ts";
import { agreement } from "./agreement.ts";

test("a trial is a function of its stream alone", () => {
  const pruning = { examples: 1.5, fraction: 0.5, keep: "hard", angle: 20 } as const;
  const one = simulatedStudent(pruning, 20, seeded(3));
  expect(simulatedStudent(pruning, 20, seeded(3))).toEqual(one);
  expect(simulatedStudent(pruning, 20, seeded(4)).error).not.toBe(one.error);
  expect(one.error).toBeCloseTo(Math.acos(one.overlap) / Math.PI, 12);
});

test("in a trial, easy examples leave a margin of their own, and all examples one smaller than any part does", () => {
  const trial = (keep: "hard" | "easy", fraction: number): number =>
    simulatedStudent({ examples: 4, fraction, keep }, 30, seeded(1)).margin;
  expect(trial("easy", 0.3)).toBeGreaterThan(trial("hard", 0.3));
  expect(trial("hard", 0.3)).toBeGreaterThanOrEqual(trial("hard", 1) * (1 - 1e-9));
  expect(trial("easy", 1)).toBe(trial("hard", 1));
});

test.each([
  { examples: 1, fraction: 0.5, keep: "hard", angle: 0 },
  { examples: 1, fraction: 0.4, keep: "easy", angle: 0 },
  { examples: 1.5, fraction: 1, keep: "hard", angle: 0 },
  { examples: 1, fraction: 0.6, keep: "hard", angle: 20 },
  { examples: 2, fraction: 0.4, keep: "easy", angle: 30 },
] as const)(
  "32 trials in 100 dimensions agree with the theory within three standard errors: %o",
  (pruning) => {
    for (const [name, { deviations }] of Object.entries(agreement(pruning, { dimensions: 100, trials: 32 })))
      expect([name, Math.abs(deviations) < 3]).toEqual([name, true]);
  },
);

test("what cannot be drawn is said", () => {
  const pruning = { examples: 0.1, fraction: 0.5, keep: "hard" } as const;
  expect(() => simulatedStudent(pruning, 4, seeded(0))).toThrow(
    "round(examples · dimensions): expected a whole number >= 1, got 0",
  );
  expect(() => simulatedStudent(pruning, 1, seeded(0))).toThrow(
    "simulatedStudent.dimensions: expected a whole number >= 2, got 1",
  );
});
