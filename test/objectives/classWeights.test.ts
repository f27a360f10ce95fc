import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  classWeights,
  classWeightsOf,
  effectiveNumber,
  fixed,
  logarithmic,
  meanSimilarity,
  noiseAware,
  step,
} from "../../src/objectives/classWeights.ts";
import { dmCase, expectSixDigits } from "../losses/cases.ts";

const cases = dmCase<Record<string, number[]>>("H");
const counts = [5000, 2775, 1540, 854, 474, 263, 146, 81, 45, 25]; // CIFAR-10 at imbalance 200
const alphaHead = 0.8;

describe("class weights at imbalance 200 agree with reference values", () => {
  test("step: the first half of an exponential profile is head", () => {
    expectSixDigits(step({ alphaHead })({ counts }), cases["alpha_step(first half head)"]!);
  });

  test("logarithmic", () => {
    expectSixDigits(logarithmic({ alphaHead })({ counts }), cases.alpha_log!);
  });

  test("effective number", () => {
    const got = effectiveNumber({ alphaHead, beta: 0.999 })({ counts });
    expectSixDigits(got, cases["alpha_effective_number(beta=0.999)"]!);
  });

  test("noise-aware with one similarity for all classes", () => {
    const similarity = counts.map(() => 0.3);
    const got = noiseAware({ alphaHead, stretch: true })({ counts, similarity });
    expectSixDigits(got, cases["alpha_wiener(mean kernel similarity A=0.3)"]!);
  });
});

const someCounts = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 20 });
const someHead = fc.double({ min: 0.05, max: 0.95, noNaN: true });

describe.each(Object.entries(classWeights).filter(([name]) => name !== "fixed"))("%s", (name) => {
  const rule = (alphaHead: number) => classWeightsOf({ ...defaultsOf(name), alphaHead } as never);

  test("weights stay between 1 − α_h and α_h, and so off the false zeros at 0 and 1", () => {
    fc.assert(
      fc.property(someCounts, someHead, (counts, head) => {
        const similarity = counts.map((_, c) => (c % 7) / 7);
        for (const alpha of rule(head)({ counts, similarity })) {
          expect(alpha).toBeGreaterThanOrEqual(Math.min(head, 1 - head) - 1e-12);
          expect(alpha).toBeLessThanOrEqual(Math.max(head, 1 - head) + 1e-12);
        }
      }),
      { seed: 5, numRuns: 100 },
    );
  });

  test("a larger class never has less of the head's weight", () => {
    fc.assert(
      fc.property(someCounts, (counts) => {
        const sorted = [...counts].sort((a, b) => b - a);
        const alphas = rule(0.8)({ counts: sorted, similarity: sorted.map(() => 0.4) });
        alphas.slice(1).forEach((alpha, c) => expect(alpha).toBeLessThanOrEqual(alphas[c]! + 1e-12));
      }),
      { seed: 6, numRuns: 100 },
    );
  });

  test("a head weight below ½ reverses the direction", () => {
    const similarity = counts.map(() => 0.4);
    const up = rule(0.8)({ counts, similarity });
    const down = rule(0.2)({ counts, similarity });
    up.forEach((alpha, c) => expect(down[c]).toBeCloseTo(1 - alpha, 12));
    expect(down[0]).toBeLessThan(down[9]!);
  });

  test("equal counts have weight ½", () => {
    expect(rule(0.9)({ counts: [30, 30, 30], similarity: [0.1, 0.2, 0.3] })).toEqual([0.5, 0.5, 0.5]);
  });

  test("a head weight outside 0.05 to 0.95 is refused, by the factory and by the schema", () => {
    expect(() => rule(1)).toThrow("alphaHead: expected 0.05 to 0.95, got 1");
    const { options } = classWeights[name as keyof typeof classWeights];
    expect(options.safeParse({ alphaHead: 0.99 }).success).toBe(false);
  });

  test("a count that is no whole number is refused", () => {
    expect(() => rule(0.8)({ counts: [3, 0.5], similarity: [0, 0] })).toThrow("expected a whole number >= 1");
  });
});

function defaultsOf(name: string): object {
  const entry = classWeights[name as keyof typeof classWeights];
  return { name, ...entry.options.parse({}) };
}

test("fixed weights are the same for every class", () => {
  expect(fixed({ alpha: 0.3 })({ counts: [5, 1] })).toEqual([0.3, 0.3]);
});

describe("noise-aware weights", () => {
  test("without stretching are the Wiener factor, linear between the ends", () => {
    // u = 10·0.5/(10·0.5 + 0.5) = 10/11 and 2·0.5/(2·0.5 + 0.5) = 2/3; α = 0.2 + 0.6u
    const got = noiseAware({ alphaHead: 0.8, stretch: false })({ counts: [10, 2], similarity: [0.5, 0.5] });
    expect(got[0]).toBeCloseTo(0.2 + 6 / 11, 14);
    expect(got[1]).toBeCloseTo(0.6, 14);
  });

  test("read the samples behind each function, not the size of the class", () => {
    const rule = noiseAware({ alphaHead: 0.8, stretch: false });
    const similarity = [0.5, 0.5];
    const batches = rule({ counts: [1000, 2], samples: [10, 2], similarity });
    expect(batches).toEqual(rule({ counts: [10, 2], similarity }));
  });

  test("need similarities", () => {
    const rule = noiseAware({ alphaHead: 0.8, stretch: true });
    expect(() => rule({ counts: [3, 2] })).toThrow("expected samples and similarity of 2 classes, got 0");
    expect(() => rule({ counts: [3, 2], similarity: [0.5, 1.5] })).toThrow("expected 0 to 1, got 1.5");
  });
});

test("mean similarity undoes the noise that a sample adds: n = 25 draws of |Φ|² = 0.3 average to 0.328", () => {
  const measured = 0.3 + (1 - 0.3) / 25;
  expect(meanSimilarity(measured, 25)).toBeCloseTo(0.3, 14);
  expect(meanSimilarity(0.01, 25)).toBe(0); // below the noise floor of 1/25
  expect(meanSimilarity(1, 1)).toBe(0);
});
