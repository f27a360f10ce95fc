import { describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { classIndices, type Dataset, subset } from "../../src/datasets/dataset.ts";
import type { Engine } from "../../src/engines/index.ts";
import type { FeatureComparison } from "../../src/evaluation/classFeatures.ts";
import {
  bandwidthFactors,
  featureDiscrepancy,
  medianDistance,
} from "../../src/evaluation/featureDiscrepancy.ts";
import { convNet, type Network } from "../../src/networks/index.ts";
import { describeEngines, engines } from "../support/engines.ts";
import { toyDataset } from "../support/toy.ts";

/** Two numbers a image: pixels are features. */
const shape = [1, 2, 1] as const;

/** The pixels themselves as features, two or so many at once. */
function pixelNetwork(largest = 1): Network {
  return {
    name: "pixels",
    imageShape: shape,
    channels: 1,
    classes: 2,
    width: 2,
    largest,
    flattenOrder: "chw",
    parameters: [],
    statistics: [],
    featureMap: (_, images) => images,
    embed: (_, images) => images.reshape([images.shape[0]!, 2]),
    classify: (_, embeddings) => embeddings,
    logits: (_, images) => images.reshape([images.shape[0]!, 2]),
  };
}

function points(counts: readonly number[], name: string, shift = 0): Dataset {
  const labels = Int32Array.from(counts.flatMap((count, label) => Array<number>(count).fill(label)));
  const pixels = seeded(3)
    .stream(name)
    .fillNormal(new Float32Array(2 * labels.length));
  return {
    name,
    classNames: ["a", "b"],
    imageShape: shape,
    pixels: pixels.map((value) => value + shift),
    labels,
    mean: [0],
    std: [1],
  };
}

const splits = { test: points([9, 6], "test"), train: points([8, 5], "train", 0.3) };
const synthetic = points([3, 2], "synthetic", 1);

function comparison(engine: Engine, change: Partial<FeatureComparison> = {}): FeatureComparison {
  return { engine, network: pixelNetwork(), synthetic, splits, networks: 1, ...change };
}

type Row = readonly number[];
const rowsOf = ({ pixels }: Dataset, positions: ArrayLike<number>): Row[] =>
  Array.from(positions, (i) => [pixels[2 * i]!, pixels[2 * i + 1]!]);
const distance = (a: Row, b: Row): number => Math.hypot(a[0]! - b[0]!, a[1]! - b[1]!);
const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** The formula of the docstring, pair by pair. */
function byPairs(x: readonly Row[], y: readonly Row[], length: number): number {
  const k = (a: Row, b: Row): number => Math.exp(-(distance(a, b) ** 2) / (2 * length ** 2));
  const pairs = x.flatMap((a, i) => x.flatMap((b, j) => (i === j ? [] : [k(a, b)])));
  return (
    meanOf(pairs) +
    meanOf(y.flatMap((a) => y.map((b) => k(a, b)))) -
    2 * meanOf(x.flatMap((a) => y.map((b) => k(a, b))))
  );
}

/** Of all pairs of the test set, sorted. */
function medianOf(rows: readonly Row[]): number {
  const all = rows.flatMap((a, i) => rows.slice(0, i).map((b) => distance(a, b))).sort((a, b) => a - b);
  return (all[(all.length - 1) >> 1]! + all[all.length >> 1]!) / 2;
}

const found = await engines();

describeEngines(found, (engine) => {
  const exact = engine.dtype === "float64";

  test("the discrepancy of each class is its formula, pair by pair, at half, once and twice the median distance", () => {
    const { synthetic: own, factors } = featureDiscrepancy(comparison(engine));
    const unit = medianOf(
      rowsOf(
        splits.test,
        Array.from({ length: 15 }, (_, i) => i),
      ),
    );
    const [held, made] = [classIndices(splits.test), classIndices(synthetic)];
    const expected = [0, 1].map((label) =>
      bandwidthFactors.map((factor) =>
        byPairs(rowsOf(splits.test, held[label]!), rowsOf(synthetic, made[label]!), factor * unit),
      ),
    );
    expect(factors).toEqual([0.5, 1, 2]);
    own.classes.forEach((values, label) =>
      values!.forEach((value, i) => expect(value).toBeCloseTo(expected[label]![i]!, exact ? 6 : 4)),
    );
    own.overall.forEach((value, i) =>
      expect(value).toBeCloseTo((expected[0]![i]! + expected[1]![i]!) / 2, exact ? 6 : 4),
    );
  });

  test("images go through the network in chunks, and no tensor is left", () => {
    const before = engine.liveTensors();
    const whole = featureDiscrepancy(comparison(engine));
    const inChunks = featureDiscrepancy(comparison(engine, { network: pixelNetwork(2 ** 25) }));
    expect(engine.liveTensors()).toBe(before);
    expect(inChunks.synthetic).toEqual(whole.synthetic);
  });

  test("images are pixels, whatever constants a set is trained with", () => {
    const other = { ...synthetic, mean: [0.7], std: [3] };
    expect(featureDiscrepancy(comparison(engine, { synthetic: other })).synthetic).toEqual(
      featureDiscrepancy(comparison(engine)).synthetic,
    );
  });
});

describe("a comparison", () => {
  const engine = found.find((one) => one.engine)!.engine!;

  test("looks at the first held-out images alone, and says at how many", () => {
    const many = { ...splits, test: points([100, 90], "many") };
    const pixels = many.test.pixels.slice() as Float32Array;
    pixels[2 * 99] = 40; // the hundredth of class a
    const moved = { ...many, test: { ...many.test, pixels } };
    const at = (sets: typeof many, testImages: number) =>
      featureDiscrepancy(comparison(engine, { splits: sets, testImages }));
    expect(at(many, 95).testImages).toEqual([95, 90]);
    expect(at(moved, 99)).toEqual(at(many, 99));
    expect(at(moved, 100).synthetic.classes[0]).not.toEqual(at(many, 100).synthetic.classes[0]);
  });

  test("of a class without synthetic images has nothing to say", () => {
    const onlyA = subset(synthetic, classIndices(synthetic)[0]!);
    const { synthetic: own, real } = featureDiscrepancy(comparison(engine, { synthetic: onlyA }));
    expect(own.classes[1]).toBeNull();
    expect(real.classes[1]).toBeNull();
    expect(own.overall).toEqual(own.classes[0]);
  });

  test("shows random real images with (1 − E k(x, x'))/m, within 5 standard errors", () => {
    // Test and training images of one law; the expectation is over both, here over 60 draws of 3 of 200.
    const law = { test: points([300, 300], "law"), train: points([200, 200], "more") };
    const three = points([3, 3], "any");
    const draws = featureDiscrepancy(
      comparison(engine, { splits: law, synthetic: three, networks: 60, testImages: 300 }),
    );
    const unit = medianDistanceOf(law.test, engine);
    bandwidthFactors.forEach((factor, i) => {
      const rows = rowsOf(
        law.train,
        Array.from({ length: 400 }, (_, at) => at),
      );
      const pairs = rows.flatMap((a, at) => rows.slice(0, at).map((b) => distance(a, b)));
      const similarity = meanOf(pairs.map((r) => Math.exp(-(r ** 2) / (2 * (factor * unit) ** 2))));
      const expected = (1 - similarity) / 3;
      // One draw of three spreads by about as much as it is; 60 draws of two classes.
      expect(Math.abs(draws.real.overall[i]! - expected)).toBeLessThan((5 * expected) / Math.sqrt(120));
    });
  });

  test("rolls the same dice for every set", () => {
    const network = convNet({ depth: 1, width: 4 }, { imageShape: [8, 8, 3], classes: 3 });
    const real = toyDataset();
    const set = { engine, network, splits: { test: toyDataset([5, 5, 5]), train: real } };
    const [one, other] = [
      [0, 1, 9, 15],
      [2, 3, 10, 16],
    ].map((rows) => featureDiscrepancy({ ...set, synthetic: subset(real, rows) }));
    expect(other!.real).toEqual(one!.real);
    expect(other!.synthetic).not.toEqual(one!.synthetic);
    expect(featureDiscrepancy({ ...set, synthetic: subset(real, [0, 1, 9, 15]) })).toEqual(one);
  });

  test("refuses sets that do not fit the network, and classes with a single held-out image", () => {
    expect(() => featureDiscrepancy(comparison(engine, { synthetic: toyDataset() }))).toThrow(
      "featureComparison.synthetic: expected images of 1×2×1 in 2 classes, as the network takes them, got 8×8×3 in 3",
    );
    const lone = { ...splits, test: points([9, 1], "lone") };
    expect(() => featureDiscrepancy(comparison(engine, { splits: lone }))).toThrow(
      "expected at least 2 held-out images of each class, got 1 of class 1 (b)",
    );
    const none = subset(synthetic, []);
    expect(() => featureDiscrepancy(comparison(engine, { synthetic: none }))).toThrow(
      "expected synthetic images of some class, got none",
    );
  });

  function medianDistanceOf(dataset: Dataset, on: Engine): number {
    const order = classIndices(dataset);
    const first = Array.from({ length: 128 }, (_, i) => order[i % 2]![i >> 1]!);
    const rows = on.tensor([128, 2], rowsOf(dataset, first).flat());
    return medianDistance(rows);
  }
});
