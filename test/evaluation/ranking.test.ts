import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  augmentationRobustness,
  hardLabelRecovery,
  improvementOverRandom,
  labelRobustness,
  rankingScores,
  robustScore,
} from "../../src/evaluation/ranking.ts";
import { rankingAugmentation, rankingProtocols } from "../../src/evaluation/rankingProtocols.ts";

interface Reference {
  readonly lrs: readonly Readonly<
    Record<"real_hard" | "syn_hard" | "syn_any" | "rdm_any" | "w" | "HLR" | "IOR" | "alpha" | "LRS", number>
  >[];
  readonly ars: readonly Readonly<
    Record<"syn_aug" | "rdm_aug" | "syn_naug" | "rdm_naug" | "gamma" | "beta" | "ARS", number>
  >[];
}

const reference = JSON.parse(
  readFileSync(new URL("../reference/sampling-ranking.json", import.meta.url), "utf8"),
) as Reference;

/** Of sums of a few numbers in double precision. */
const DIGITS = 14;

describe("the scores of the reference", () => {
  test.each(reference.lrs)(
    "LRS of real $real_hard, synthetic $syn_hard, $syn_any, random $rdm_any at w = $w",
    (one) => {
      const hlr = hardLabelRecovery(one.real_hard, one.syn_hard);
      const ior = improvementOverRandom({ synthetic: one.syn_any, random: one.rdm_any });
      const alpha = labelRobustness({ hlr, ior }, one.w);
      expect(hlr).toBeCloseTo(one.HLR, DIGITS);
      expect(ior).toBeCloseTo(one.IOR, DIGITS);
      expect(alpha).toBeCloseTo(one.alpha, DIGITS);
      expect(robustScore(alpha)).toBeCloseTo(one.LRS, DIGITS);
    },
  );

  test.each(reference.ars)("ARS of synthetic $syn_aug, $syn_naug, random $rdm_aug, $rdm_naug", (one) => {
    const beta = augmentationRobustness(
      {
        augmented: { synthetic: one.syn_aug, random: one.rdm_aug },
        plain: { synthetic: one.syn_naug, random: one.rdm_naug },
      },
      one.gamma,
    );
    expect(beta).toBeCloseTo(one.beta, DIGITS);
    expect(robustScore(beta)).toBeCloseTo(one.ARS, DIGITS);
  });

  test.each(reference.lrs.filter(({ w }) => w === 0.5))("all at once, by the weights of the board", (one) => {
    const against = { synthetic: one.syn_any, random: one.rdm_any };
    const found = rankingScores({
      realHard: one.real_hard,
      syntheticHard: one.syn_hard,
      augmented: against,
      plain: { synthetic: 0.5, random: 0.5 },
    });
    expect(found.lrs).toBeCloseTo(one.LRS, DIGITS);
    expect(found.beta).toBeCloseTo(one.IOR / 2, DIGITS);
  });
});

test("a score is 0 at −1, 0.2689 at 0, 1/2 at the logarithm of cosh 1, and 1 at 1", () => {
  expect(robustScore(-1)).toBe(0);
  expect(robustScore(0)).toBeCloseTo((1 - 1 / Math.E) / (Math.E - 1 / Math.E), DIGITS);
  expect(robustScore(0)).toBeCloseTo(0.2689, 4);
  expect(robustScore(Math.log(Math.cosh(1)))).toBeCloseTo(0.5, DIGITS);
  expect(robustScore(1)).toBe(1);
});

describe("laws", () => {
  const fraction = fc.double({ min: 0, max: 1, noNaN: true });
  const against = fc.record({ synthetic: fraction, random: fraction });
  const accuracies = fc.record({
    realHard: fraction,
    syntheticHard: fraction,
    augmented: against,
    plain: against,
  });
  const weights = fc.record({ label: fraction, augmentation: fraction });
  const options = { seed: 1 };

  test("scores of any accuracies and weights are in [0, 1]", () => {
    fc.assert(
      fc.property(accuracies, weights, (given, own) => {
        const { lrs, ars } = rankingScores(given, own);
        for (const score of [lrs, ars]) {
          expect(score).toBeGreaterThanOrEqual(0);
          expect(score).toBeLessThanOrEqual(1);
        }
      }),
      options,
    );
  });

  test("better synthetic images never lower a score, better random or real ones never raise it", () => {
    fc.assert(
      fc.property(accuracies, weights, fraction, (given, own, other) => {
        const scoresWith = (change: Partial<typeof given>): { lrs: number; ars: number } =>
          rankingScores({ ...given, ...change }, own);
        const grows = (a: { lrs: number; ars: number }, b: { lrs: number; ars: number }): void => {
          expect(b.lrs).toBeGreaterThanOrEqual(a.lrs);
          expect(b.ars).toBeGreaterThanOrEqual(a.ars);
        };
        const ends = (a: number): [number, number] => (a < other ? [a, other] : [other, a]);
        const [less, more] = ends(given.syntheticHard);
        grows(scoresWith({ syntheticHard: less }), scoresWith({ syntheticHard: more }));
        const [worse, better] = ends(given.augmented.synthetic);
        const augmented = (synthetic: number) => ({ augmented: { ...given.augmented, synthetic } });
        grows(scoresWith(augmented(worse)), scoresWith(augmented(better)));
        const [poor, good] = ends(given.plain.random);
        const plain = (random: number) => ({ plain: { ...given.plain, random } });
        grows(scoresWith(plain(good)), scoresWith(plain(poor)));
        const [weak, strong] = ends(given.realHard);
        grows(scoresWith({ realHard: strong }), scoresWith({ realHard: weak }));
      }),
      options,
    );
  });
});

describe("what is refused", () => {
  test.each([
    [
      "percentages",
      () => hardLabelRecovery(84.8, 48.9),
      "ranking.realHard: expected fractions in [0, 1], got 84.8; divide percentages by 100",
    ],
    [
      "what is no number",
      () => improvementOverRandom({ synthetic: 0.5, random: NaN }),
      "ranking.random: expected fractions in [0, 1], got NaN",
    ],
    [
      "differences of percentages",
      () => robustScore(-6.5),
      "ranking.robustness: expected a number in [−1, 1], got -6.5; take accuracies as fractions",
    ],
    [
      "a weight beyond 1",
      () => labelRobustness({ hlr: 0, ior: 0 }, 2),
      "ranking.weights.label: expected a number in [0, 1], got 2",
    ],
  ])("%s", (_, compute, message) => {
    expect(compute).toThrow(message);
  });
});

describe("protocols", () => {
  test("have the published sizes under the published name", () => {
    const { training, rates, real, networks } = rankingProtocols.ddranking;
    expect(training).toMatchObject({ epochs: 1000, batchSize: 128, momentum: 0.9, weightDecay: 5e-4 });
    expect(training.drops).toEqual({ afterEpochs: [499], factor: 0.1, keepsMomentum: true });
    expect(rates).toEqual([0.001, 0.005, 0.01, 0.05, 0.1]);
    expect(real).toMatchObject({ epochs: 200, batchSize: 512, learningRate: 0.01 });
    expect(real.drops).toEqual({ afterEpochs: [99], factor: 0.1, keepsMomentum: true });
    expect(networks).toBe(5);
  });

  test("flip no digits", () => {
    const digits = Array.from({ length: 10 }, (_, digit) => String(digit));
    expect(rankingAugmentation(rankingProtocols.ddranking, digits)).toBe("color_crop_cutout_scale_rotate");
    expect(rankingAugmentation(rankingProtocols.ddranking, ["cat", "dog"])).toBe(
      "color_crop_cutout_flip_scale_rotate",
    );
  });
});
