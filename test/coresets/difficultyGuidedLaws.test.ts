import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { seeded } from "../../src/core/rng.ts";
import { allocation, largestRemainders, difficultyShapes } from "../../src/coresets/guided/allocation.ts";
import { drawBins } from "../../src/coresets/guided/drawBins.ts";
import { guidedChoice } from "../../src/coresets/guided/guidedChoice.ts";
import { binOf, histogram, histogramOfMonotone } from "../../src/coresets/guided/histogram.ts";
import { logTransform } from "../../src/coresets/guided/logTransform.ts";
import { chooseThresholds, objectives, thresholdSearches } from "../../src/coresets/guided/thresholds.ts";

const runs = { seed: 5, numRuns: 60 };
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** Scores as networks give them: crowded at 0, or anywhere, with ties and exact ends. */
const score = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.double({ min: 0, max: 1e-3, noNaN: true }),
  fc.constantFrom(0, 0.2, 0.5, 1),
);
const scores = (least = 1): fc.Arbitrary<Float64Array> =>
  fc.array(score, { minLength: least, maxLength: 80 }).map((values) => Float64Array.from(values));
const perClass = fc.integer({ min: 1, max: 24 });
const search = fc.constantFrom(...(Object.keys(thresholdSearches) as (keyof typeof thresholdSearches)[]));
const shape = fc.constantFrom(...difficultyShapes);

test("every edge belongs to the bin that it begins, and 1 to the last", () => {
  const edges = [
    0, 0.1, 0.2, 0.30000000000000004, 0.4, 0.5, 0.6000000000000001, 0.7000000000000001, 0.8, 0.9,
  ];
  expect(edges.map(binOf)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect([0.3, 0.6, 0.7].map(binOf)).toEqual([2, 5, 6]);
  expect([binOf(1), binOf(0.9999999), binOf(Number.MIN_VALUE)]).toEqual([9, 9, 0]);
});

test("the log transform by hand", () => {
  // b = 1 and t = 1 clip 0.001 to 0.01 and 1 to 0.1: ln(c / 0.01) / ln 10.
  const transform = logTransform(Float64Array.of(0.001, 0.01, Math.sqrt(0.001), 0.1, 1), {
    bottom: 1,
    top: 1,
  })!;
  expect([0.001, 0.01].map(transform)).toEqual([1e-4, 1e-4]);
  expect(transform(Math.sqrt(0.001))).toBeCloseTo(0.5, 12);
  expect([0.1, 1].map(transform)).toEqual([1, 1]);
});

test("easy scores are floored at 10⁻⁴, also where they are not exactly 0", () => {
  const sorted = Float64Array.of(0, 1e-9, 1e-2, 1);
  for (const bottom of [0, 1]) {
    const transform = logTransform(sorted, { bottom, top: 0 })!;
    expect([0, 1e-9, 1e-4].map(transform)).toEqual([1e-4, 1e-4, 1e-4]);
    expect(transform(1e-2)).toBeCloseTo(0.5, 12);
  }
});

test.each([
  ["all alike", Float64Array.of(0.3, 0.3, 0.3), { bottom: 0, top: 0 }],
  ["all below the floor", Float64Array.of(0, 0, 5e-5), { bottom: 0, top: 0 }],
  ["thresholds that cross", Float64Array.of(0.1, 0.2, 0.3), { bottom: 1, top: 1 }],
  ["fewer images than the thresholds clip", Float64Array.of(0.1, 0.2), { bottom: 0, top: 4 }],
])("there is no transform of %s", (_, sorted, thresholds) => {
  expect(logTransform(sorted, thresholds)).toBeUndefined();
});

test("a transform keeps the order of scores and stays in [10⁻⁴, 1]", () => {
  fc.assert(
    fc.property(
      scores(4),
      fc.integer({ min: 0, max: 1 }),
      fc.integer({ min: 0, max: 1 }),
      (values, bottom, top) => {
        const sorted = values.toSorted();
        const transform = logTransform(sorted, { bottom, top });
        if (!transform) return;
        const found = sorted.map(transform);
        expect(Math.min(...found)).toBeGreaterThanOrEqual(1e-4);
        expect(Math.max(...found)).toBe(1);
        expect(found).toEqual(found.toSorted());
      },
    ),
    runs,
  );
});

test("the histogram of a transform by bisection is that of all transformed scores", () => {
  fc.assert(
    fc.property(scores(), (values) => {
      const sorted = values.toSorted();
      const transform = logTransform(sorted, { bottom: 0, top: 0 }) ?? ((value: number): number => value);
      expect(histogramOfMonotone(sorted, transform)).toEqual(histogram(sorted.map(transform)));
    }),
    runs,
  );
});

test("no thresholds are better than the chosen ones, and none before them as good; smoothed, each is finite", () => {
  fc.assert(
    fc.property(scores(2), perClass, search, (values, count, name) => {
      const all = objectives(values, count, name).flat();
      const chosen = chooseThresholds(values, count, name);
      const first = all.findIndex(({ bottom, top }) => bottom === chosen.bottom && top === chosen.top);
      expect(all.slice(0, first).every(({ objective }) => objective > chosen.objective)).toBe(true);
      expect(all.every(({ objective }) => objective >= chosen.objective)).toBe(true);
      const transforms = all.filter((at) => logTransform(values.toSorted(), at));
      expect(all.filter(({ objective }) => Number.isFinite(objective)).length).toBe(
        name === "code"
          ? transforms.filter(({ objective }) => Number.isFinite(objective)).length
          : transforms.length,
      );
      expect(all.length).toBe(Math.max(1, Math.floor(count / 2)) ** 2);
    }),
    runs,
  );
});

test("largest remainders sum to the total, and differ from the exact shares by less than 1", () => {
  const weights = fc
    .array(fc.integer({ min: 0, max: 9 }), { minLength: 10, maxLength: 10 })
    .filter((all) => sum(all) > 0);
  fc.assert(
    fc.property(weights, fc.integer({ min: 1, max: 300 }), (all, total) => {
      const shares = largestRemainders(all, total);
      expect(sum(shares)).toBe(total);
      shares.forEach((share, i) => expect(Math.abs(share - (all[i]! * total) / sum(all))).toBeLessThan(1));
    }),
    runs,
  );
});

test("each shape has as many images as are asked for, the printed ones in their order of sizes", () => {
  for (let count = 1; count <= 120; count++) {
    for (const name of difficultyShapes)
      expect(sum(allocation(name, [3, 0, 0, 1, 0, 0, 0, 0, 2, 5], count))).toBe(count);
  }
  expect(allocation("ground", [], 30)).toEqual(new Array<number>(10).fill(3));
  expect(allocation("cliff", [], 100)).toEqual([40, 30, 6, 6, 4, 4, 4, 2, 2, 2]);
  expect(allocation("hill", [], 1)).toEqual([0, 0, 0, 0, 1, 0, 0, 0, 0, 0]);
});

test("a draw takes what the bins have and fills up with others, and no image twice", () => {
  fc.assert(
    fc.property(scores(), perClass, shape, (values, count, name) => {
      const demanded = allocation(name, histogram(values), count);
      const { positions, taken, filled } = drawBins(values, demanded, seeded(2));
      const have = histogram(values);
      expect(taken).toEqual(demanded.map((wanted, bin) => Math.min(wanted, have[bin]!)));
      expect(positions.length).toBe(Math.min(count, values.length));
      expect(new Set(positions).size).toBe(positions.length);
      expect(filled).toBe(positions.length - sum(taken));
      const inBins = positions.slice(0, sum(taken)).map((i) => values[i]!);
      expect(histogram(inBins)).toEqual(taken);
    }),
    runs,
  );
});

test("what is missing comes from all images that are left alike, near bins or far", () => {
  // Bin 0 has two images and three are demanded; the third comes of the eight others, one in each of the other bins.
  const values = Float64Array.of(0.05, 0.06, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85);
  const draws = 1000;
  const counts = new Array<number>(10).fill(0);
  for (let seed = 0; seed < draws; seed++) {
    const { positions } = drawBins(values, [3, 0, 0, 0, 0, 0, 0, 0, 0, 0], seeded(seed));
    expect([...positions.slice(0, 2)].sort()).toEqual([0, 1]);
    counts[positions[2]!]!++;
  }
  const [expected, deviation] = [draws / 8, Math.sqrt((draws / 8) * (7 / 8))];
  for (const count of counts.slice(2)) expect(Math.abs(count - expected)).toBeLessThan(5 * deviation);
});

test("of a bin with more images than are demanded, each is as likely", () => {
  const draws = 1000;
  const counts = new Array<number>(5).fill(0);
  for (let seed = 0; seed < draws; seed++) {
    const demanded = [2, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    for (const i of drawBins(new Float64Array(5).fill(0.01), demanded, seeded(seed)).positions) counts[i]!++;
  }
  const [expected, deviation] = [0.4 * draws, Math.sqrt(draws * 0.4 * 0.6)];
  for (const count of counts) expect(Math.abs(count - expected)).toBeLessThan(5 * deviation);
});

test("a choice has as many images as are asked for, or all there are, and none twice", () => {
  fc.assert(
    fc.property(scores(), scores(), perClass, fc.tuple(shape, search), (pool, real, count, [name, how]) => {
      const options = { perClass: count, shape: name, search: how };
      const { positions, record } = guidedChoice({ pool, real }, options, seeded(4));
      expect(positions.length).toBe(Math.min(count, pool.length));
      expect(new Set(positions).size).toBe(positions.length);
      expect(sum(record.taken) + record.filled + record.repeated).toBe(count);
      expect(record.repeated).toBe(Math.max(0, count - pool.length));
      expect(sum(record.pool.raw)).toBe(pool.length);
      expect(sum(record.real.transformed)).toBe(real.length);
      const again = Array.from({ length: count }, (_, i) => pool[positions[i % positions.length]!]!);
      expect(record.difficulty).toEqual(again);
      expect(record.chosen.raw).toEqual(histogram(again));
      expect(JSON.parse(JSON.stringify(record))).toEqual(record);
      expect(guidedChoice({ pool, real }, options, seeded(4)).positions).toEqual(positions);
    }),
    runs,
  );
});

test("choosing all of a pool takes it whole, however difficulty is distributed", () => {
  const pool = Float64Array.from({ length: 30 }, (_, i) => (i / 30) ** 3);
  const options = { perClass: 30, shape: "cliff", search: "codeEps" } as const;
  const { positions } = guidedChoice({ pool, real: pool }, options, seeded(1));
  expect([...positions].sort((a, b) => a - b)).toEqual(Array.from(pool.keys()));
});

test.each(difficultyShapes)(
  "of a pool with enough images in each bin, the choice has the shape %s",
  (shape) => {
    const rng = seeded(8);
    // Uniform in the logarithm from 10⁻⁴ to 1, so that all bins of the transform are equally full.
    const pool = Float64Array.from({ length: 1000 }, () => 10 ** (-4 * rng.uniform()));
    const real = Float64Array.from({ length: 400 }, () => rng.uniform() ** 3);
    const { record } = guidedChoice({ pool, real }, { perClass: 30, shape, search: "codeEps" }, seeded(1));
    expect(record.chosen.transformed).toEqual(record.demanded);
    expect(record.filled).toBe(0);
    const wanted = allocation(shape, record.real.transformed, 30);
    expect(record.demanded).toEqual(wanted);
  },
);
