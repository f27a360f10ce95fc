import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { crossovers } from "../../src/theory/crossovers.ts";
import { imperfectProbe } from "../../src/theory/imperfectProbe.ts";
import { perfectIntegrals } from "../../src/theory/perfectProbe.ts";
import { type Kept, keptMargins, type Pruning } from "../../src/theory/pruning.ts";
import { saddlePoint } from "../../src/theory/scalingLaw.ts";
import { printedImperfect, printedPerfect } from "./publishedEquations.ts";

interface Case {
  readonly alpha_tot: number;
  readonly f: number;
  readonly mode: Kept | "none";
  readonly R: number;
  readonly kappa: number;
  readonly eps: number;
}
interface ImperfectCase extends Case {
  readonly theta_deg: number;
  readonly rho: number;
}
interface IntegralCheck extends Omit<Case, "eps"> {
  readonly A: number;
  readonly B: number;
  readonly "imperfect_residuals_theta30_R0.6_rho0.5_kappa0.7_alphaprune1": readonly number[];
}
const reference = JSON.parse(readFileSync("test/reference/sampling-theory.json", "utf8")) as {
  readonly perfect: readonly Case[];
  readonly imperfect: readonly ImperfectCase[];
  readonly integral_checks: readonly IntegralCheck[];
};

const pruned = ({ alpha_tot, f, mode }: Pick<Case, "alpha_tot" | "f" | "mode">): Pruning => ({
  examples: alpha_tot,
  fraction: f,
  keep: mode === "none" ? "hard" : mode,
});
const degrees = (theta: number): number => (theta * Math.PI) / 180;
/** ε at a fixed number of examples left. */
const atKept =
  (fraction: number, keep: Kept, angle = 0) =>
  (left: number): number =>
    saddlePoint({ examples: left / fraction, fraction, keep, angle }).error;

test("students of a perfect probe are those of the reference", () => {
  for (const one of reference.perfect) {
    const { error, overlap, probeOverlap, margin } = saddlePoint(pruned(one));
    expect(error).toBeCloseTo(one.eps, 8);
    expect(overlap).toBeCloseTo(one.R, 8);
    expect(margin).toBeCloseTo(one.kappa, 8);
    expect(probeOverlap).toBe(overlap);
  }
});

test("students of an imperfect probe are those of the reference", () => {
  for (const one of reference.imperfect) {
    const found = saddlePoint({ ...pruned(one), angle: one.theta_deg });
    expect(found.error).toBeCloseTo(one.eps, 7);
    expect(found.overlap).toBeCloseTo(one.R, 7);
    expect(found.probeOverlap).toBeCloseTo(one.rho, 7);
    expect(found.margin).toBeCloseTo(one.kappa, 7);
  }
});

test("the integrals away from a solution are those of the reference, ours over z and the printed ones over t", () => {
  for (const one of reference.integral_checks) {
    const window = keptMargins({ fraction: one.f, keep: one.mode as Kept });
    const student = { angle: Math.acos(one.R), margin: one.kappa };
    const { A, B } = perfectIntegrals(student, one.alpha_tot, window);
    expect(A).toBeCloseTo(one.A, 13);
    expect(B).toBeCloseTo(one.B, 13);
    const [first, second] = printedPerfect({ overlap: one.R, margin: one.kappa }, one.alpha_tot, window);
    expect(second).toBeCloseTo(A * (1 - one.R ** 2), 13);
    // Both say that R rises or both that it falls; they are one equation only where it does neither.
    expect(Math.sign(first - one.R)).toBe(Math.sign(B - one.R));
    const printed = printedImperfect(
      { overlap: 0.6, probeOverlap: 0.5, margin: 0.7 },
      { theta: degrees(30), kept: 1, fraction: one.f, window },
    );
    const expected = one["imperfect_residuals_theta30_R0.6_rho0.5_kappa0.7_alphaprune1"];
    printed.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 11));
  }
});

test("what is found solves the equations as they are printed", () => {
  for (const examples of [0.3, 2, 12])
    for (const fraction of [0.15, 0.5, 0.9])
      for (const keep of ["hard", "easy"] as const) {
        const window = keptMargins({ fraction, keep });
        const perfect = saddlePoint({ examples, fraction, keep });
        const [first, second] = printedPerfect(perfect, examples, window);
        expect(Math.abs(first - perfect.overlap)).toBeLessThan(1e-9);
        expect(Math.abs(second - (1 - perfect.overlap ** 2))).toBeLessThan(1e-9);
        for (const angle of [8, 25, 70]) {
          const found = saddlePoint({ examples, fraction, keep, angle });
          const pruning = { theta: degrees(angle), kept: fraction * examples, fraction, window };
          for (const rest of printedImperfect(found, pruning)) expect(Math.abs(rest)).toBeLessThan(1e-6);
        }
      }
});

test("a probe that is nearly perfect prunes as a perfect one does", () => {
  for (const keep of ["hard", "easy"] as const)
    for (const examples of [0.1, 3, 40]) {
      const perfect = saddlePoint({ examples, fraction: 0.4, keep });
      const near = saddlePoint({ examples, fraction: 0.4, keep, angle: 1e-3 });
      expect(near.error / perfect.error).toBeCloseTo(1, 6);
      expect(near.margin).toBeCloseTo(perfect.margin, 7);
    }
});

test("a probe that nothing is pruned by has no say", () => {
  const { error, overlap } = saddlePoint({ examples: 3, fraction: 1, keep: "hard" });
  for (const angle of [5, 40, 90]) {
    const whole = saddlePoint({ examples: 3, fraction: 1, keep: "easy", angle });
    expect(whole.error).toBe(error);
    expect(whole.probeOverlap).toBeCloseTo(overlap * Math.cos(degrees(angle)), 14);
    // The general equations have no such exception.
    const found = imperfectProbe({ examples: 3, fraction: 1, keep: "easy", angle });
    expect(found.error).toBeCloseTo(error, 8);
    expect(found.probeOverlap).toBeCloseTo(whole.probeOverlap, 8);
  }
});

test("a probe at a right angle to the teacher knows no label", () => {
  for (const keep of ["hard", "easy"] as const) {
    const { probeOverlap } = saddlePoint({ examples: 2, fraction: 0.4, keep, angle: 90 });
    expect(probeOverlap).toBeCloseTo(0, 10);
  }
});

test("without pruning the error falls as 0.5005/α, and hard examples alone are as good as all where there are many", () => {
  const whole = (examples: number): number => saddlePoint({ examples, fraction: 1, keep: "hard" }).error;
  expect(100 * whole(100)).toBeCloseTo(0.5004, 4);
  expect(3000 * whole(3000)).toBeCloseTo(0.5005, 4);
  expect(saddlePoint({ examples: 50, fraction: 0.2, keep: "hard" }).error).toBeCloseTo(whole(50), 5);
});

test("the error is one half without examples, and falls with each that is kept", () => {
  for (const [keep, angle] of [
    ["hard", 0],
    ["easy", 0],
    ["hard", 20],
    ["easy", 20],
  ] as const) {
    const errors = [1e-4, 0.01, 0.1, 1, 3, 10, 100].map(atKept(0.3, keep, angle));
    expect(errors[0]).toBeGreaterThan(0.49);
    errors.slice(1).forEach((error, i) => expect(error).toBeLessThan(errors[i]!));
  }
});

test("at a fixed number of examples left, hard ones win where there are many and easy ones where there are few", () => {
  const grid = [0.3, 1, 1.5, 2, 2.5, 5, 20];
  const expected = [
    [0.8, 1.12, 7.7],
    [0.6, 1.35, 2.96],
    [0.4, 1.55, 2.3],
    [0.2, 1.76, 2.07],
  ] as const;
  for (const [fraction, overNone, overEasy] of expected) {
    const [hard, easy, none] = [atKept(fraction, "hard"), atKept(fraction, "easy"), atKept(1, "hard")];
    const fromNone = crossovers(hard, none, grid);
    expect(fromNone).toHaveLength(1);
    expect(fromNone[0]!.lowerBeyond).toBe("first");
    expect(Math.abs(fromNone[0]!.at - overNone)).toBeLessThan(0.005);
    const fromEasy = crossovers(hard, easy, grid);
    expect(fromEasy).toHaveLength(1);
    expect(Math.abs(fromEasy[0]!.at - overEasy)).toBeLessThan(fraction === 0.8 ? 0.05 : 0.005);
    expect(hard(fromEasy[0]!.at)).toBeCloseTo(easy(fromEasy[0]!.at), 7);
    expect(crossovers(easy, none, grid)).toEqual([]);
  }
});

test("curves that meet without crossing have no crossover", () => {
  expect(
    crossovers(
      (x) => x,
      (x) => 2 * x,
      [1, 2, 3],
    ),
  ).toEqual([]);
  expect(
    crossovers(
      (x) => x,
      (x) => Math.max(x, 2),
      [1, 2, 3, 4],
    ),
  ).toEqual([]);
  const found = crossovers(
    (x) => x * x,
    (x) => 3 * x,
    [1, 2, 4, 8],
  );
  expect(found).toHaveLength(1);
  expect(found[0]!.at).toBeCloseTo(3, 6);
  expect(found[0]!.lowerBeyond).toBe("second");
});

test("the least and the most extreme prunings have a student", () => {
  for (const examples of [0.01, 2000])
    for (const fraction of [0.02, 0.97])
      for (const keep of ["hard", "easy"] as const)
        for (const angle of [0, 0.1, 45, 90]) {
          const { error, margin, probeOverlap } = saddlePoint({ examples, fraction, keep, angle });
          expect(error).toBeGreaterThan(0);
          expect(error).toBeLessThan(0.5);
          expect(margin).toBeGreaterThan(0);
          expect(Math.abs(probeOverlap)).toBeLessThanOrEqual(1);
        }
});

test("numbers out of range are named", () => {
  const fine = { examples: 1, fraction: 0.5, keep: "hard" as Kept, angle: 10 };
  expect(() => saddlePoint({ ...fine, examples: 0 })).toThrow(
    "saddlePoint.examples: expected a number > 0 of examples for each dimension, got 0",
  );
  expect(() => saddlePoint({ ...fine, examples: Infinity })).toThrow("got Infinity");
  expect(() => saddlePoint({ ...fine, fraction: 0 })).toThrow("above 0 and up to 1, got 0");
  expect(() => saddlePoint({ ...fine, fraction: 1.1 })).toThrow("above 0 and up to 1, got 1.1");
  expect(() => saddlePoint({ ...fine, keep: "none" as Kept })).toThrow('expected hard or easy, got "none"');
  expect(() => saddlePoint({ ...fine, angle: -1 })).toThrow("expected degrees, 0 to 90, got -1");
  expect(() => saddlePoint({ ...fine, angle: NaN })).toThrow("got NaN");
});
