import { afterAll, describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { type DifficultyGuidedRecord, difficultyGuidedOptions } from "../../src/coresets/difficultyGuided.ts";
import { difficultyScorers, foldsOf } from "../../src/coresets/guided/scorers.ts";
import { difficultyUnder } from "../../src/coresets/guided/scoring.ts";
import { coresets } from "../../src/coresets/index.ts";
import { classIndices, type Dataset, subset } from "../../src/datasets/dataset.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import type { NamedArrays } from "../../src/formats/array.ts";
import { decodeTree, encodeTree } from "../../src/formats/tree.ts";
import type { PartReport, Preparation, Source } from "../../src/objectives/objective.ts";
import { distillationOf } from "../../src/runs/distillation.ts";
import { freshModel } from "../../src/training/model.ts";
import { finished } from "../../src/training/train.ts";
import { toyDataset, toySource } from "../support/toy.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

const source = toySource(engine, { counts: [12, 9, 6] });
const quick = { epochs: 6, batchSize: 6, learningRate: 0.05 } as const;
const asked = { perClass: 2, scarcity: "duplicate" } as const;

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** Difficulty by the words of its definition, one image at a time, from a part's parameters; pixels are not float32 here. */
function difficultyBySoftmax(arrays: NamedArrays, images: Dataset, at: number): number {
  const { network } = source;
  const parameters = network.parameters.map(({ name, shape }) =>
    engine.tensor(shape, arrays[`trained/${name}`]!.data as Float64Array),
  );
  const one = subset(images, [at]);
  const pixels = Float64Array.from(one.pixels, (byte, i) => {
    return (byte / 255 - one.mean[i % 3]!) / one.std[i % 3]!;
  });
  const logits = network.logits(parameters, engine.tensor([1, ...one.imageShape], pixels)).values();
  const weights = Array.from(logits, Math.exp);
  return 1 - weights[one.labels[0]!]! / sum(weights);
}

describe("folds", () => {
  test.each([2, 3, 5])("%i of them hold each image once, and of each class as many, up to one", (count) => {
    const folds = foldsOf(source.real, count);
    expect([...folds.flatMap((fold) => [...fold])].sort((a, b) => a - b)).toEqual([
      ...source.real.labels.keys(),
    ]);
    source.classes.forEach((members) => {
      const sizes = folds.map((fold) => [...fold].filter((at) => members.includes(at)).length);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    });
  });

  test("depend on the labels alone", () => {
    expect(foldsOf({ ...source.real, pixels: new Uint8Array(27 * 192) }, 3)).toEqual(foldsOf(source.real, 3));
  });
});

describe("difficulty of images", () => {
  test("is exact where images are so easy that 1 − softmax is 0 in float64", () => {
    const model = freshModel(source.network, engine, seeded(1));
    const bias = source.network.parameters.length - 1;
    const parameters = model.parameters.map((tensor, i) =>
      i === bias ? engine.tensor(tensor.shape, [60, 0, 0]) : engine.fill(tensor.shape, 0),
    );
    const { difficulty, accuracy } = finished(difficultyUnder({ ...model, parameters }, source.real));
    expect(difficulty[0]! / (2 * Math.exp(-60))).toBeCloseTo(1, 12);
    expect(difficulty[26]).toBe(1);
    expect(accuracy).toBeCloseTo(12 / 27, 12);
  });

  test("of other classes than the network's is an error", () => {
    const model = freshModel(source.network, engine, seeded(1));
    expect(() => finished(difficultyUnder(model, toyDataset([2, 2])))).toThrow(
      "difficulty: expected images of 8×8×3 in 3 classes, as the network takes them, got 8×8×3 in 2",
    );
  });
});

describe("scorers", () => {
  const outOfFold = difficultyScorers.outOfFold.build(
    difficultyScorers.outOfFold.options.parse({ folds: 3, ...quick }),
  );
  const underFit = difficultyScorers.underFit.build(
    difficultyScorers.underFit.options.parse({ models: 2, ...quick, augmentation: "flip" }),
  );
  const pool = subset(toyDataset([12, 9, 6]), [0, 5, 13, 20, 22, 26]);
  const only = ([preparation]: readonly Preparation[]): Preparation => preparation!;

  test("out of fold, each image is scored by the one network that has not seen it", () => {
    const { real } = outOfFold.scores(source);
    foldsOf(source.real, 3).forEach((fold, part) => {
      const arrays = source.prepared!(only(outOfFold.preparations), part);
      for (const at of fold) expect(real[at]).toBeCloseTo(difficultyBySoftmax(arrays, source.real, at), 8);
    });
  });

  test("a fold's network is the same whatever the images of the fold", () => {
    const part = (of: Dataset): NamedArrays =>
      finished(only(outOfFold.preparations).part({ ...source, real: of }, 1, seeded(3)));
    const held = foldsOf(source.real, 3)[1]!;
    const changed = { ...source.real, pixels: Uint8Array.from(source.real.pixels) };
    for (const at of held) changed.pixels.fill(7, at * 192, (at + 1) * 192);
    const trained = (arrays: NamedArrays): NamedArrays =>
      Object.fromEntries(Object.entries(arrays).filter(([name]) => name.startsWith("trained/")));
    expect(trained(part(changed))).toEqual(trained(part(source.real)));
    expect(part(changed)["difficulty"]).not.toEqual(part(source.real)["difficulty"]);
  });

  test("a pool is scored by the mean over all networks", () => {
    const { pool: found, poolAccuracies, accuracies } = outOfFold.scores({ ...source, pool });
    const parts = [0, 1, 2].map((part) => source.prepared!(only(outOfFold.preparations), part));
    pool.labels.forEach((_, at) => {
      const each = parts.map((arrays) => difficultyBySoftmax(arrays, pool, at));
      expect(found![at]).toBeCloseTo(sum(each) / 3, 8);
    });
    expect(poolAccuracies).toHaveLength(3);
    expect(accuracies).toHaveLength(3);
  });

  test("under-fit networks score all images, each the mean over them", () => {
    const { real } = underFit.scores(source);
    const parts = [0, 1].map((part) => source.prepared!(only(underFit.preparations), part));
    for (const at of [0, 11, 20, 26]) {
      const each = parts.map((arrays) => difficultyBySoftmax(arrays, source.real, at));
      expect(real[at]).toBeCloseTo(sum(each) / 2, 8);
    }
    expect(parts[0]!["difficulty"]!.shape).toEqual([27]);
  });

  test("a part that was left goes on to the same bits, and leaves no tensor behind", () => {
    const preparation = only(outOfFold.preparations);
    const live = engine.liveTensors();
    const whole = finished(preparation.part(source, 0, seeded(0)));
    const run = preparation.part(source, 0, seeded(0));
    const { share, state } = (run.next(), run.next().value as PartReport);
    const kept = encodeTree(state!);
    run.return({});
    expect(share).toBeCloseTo(2 / 6, 12);
    expect(finished(preparation.part(source, 0, seeded(0), decodeTree(kept, engine)))).toEqual(whole);
    expect(engine.liveTensors()).toBe(live);
  });
});

describe("difficulty-guided sampling", () => {
  const chooser = coresets.difficultyGuided.build(
    difficultyGuidedOptions.parse({ scorer: { name: "outOfFold", folds: 2, ...quick } }),
  );

  test("chooses images of each class, by default out of the real ones, and keeps a record that is plain data", () => {
    const { positions, record } = chooser.choose(source, asked, seeded(1));
    expect(Array.from(positions, (at) => source.real.labels[at])).toEqual([0, 0, 1, 1, 2, 2]);
    expect(new Set(positions).size).toBe(6);
    const { classes, scorer, shape, search } = record as unknown as DifficultyGuidedRecord;
    expect([shape, search, scorer.name]).toEqual(["scale", "codeEps", "outOfFold"]);
    expect(classes.map(({ pool }) => sum(pool.raw))).toEqual([12, 9, 6]);
    expect(classes.map(({ pool }) => pool)).toEqual(classes.map(({ real }) => real));
    expect(JSON.parse(JSON.stringify(record))).toEqual(record);
    expect(scorer.poolAccuracies).toEqual(scorer.accuracies);
  });

  test("the same dice choose the same images, others others", () => {
    const chosen = (seed: number): Int32Array =>
      chooser.choose(source, { ...asked, perClass: 3 }, seeded(seed)).positions;
    expect(chosen(5)).toEqual(chosen(5));
    expect(chosen(5)).not.toEqual(chosen(6));
  });

  test("a class with fewer images than are asked for goes by the run's policy", () => {
    const few: Source = { ...source, pool: subset(source.real, [0, 1, 2, 3, 12, 13, 14, 21, 22, 23]) };
    const { positions, record } = chooser.choose(few, { perClass: 4, scarcity: "duplicate" }, seeded(1));
    expect(new Set(positions.subarray(4, 8)).size).toBe(3);
    const { warnings, classes } = record as unknown as DifficultyGuidedRecord;
    expect(classes.map(({ repeated }) => repeated)).toEqual([0, 1, 1]);
    expect(warnings.join()).toContain("2 images were taken again");
    expect(() => chooser.choose(few, { perClass: 4, scarcity: "error" }, seeded(1))).toThrow(
      "class 1: expected at least 4 images to choose from",
    );
  });

  test("warns where networks find nearly all real images easy", () => {
    const memorizing = coresets.difficultyGuided.build(
      difficultyGuidedOptions.parse({
        scorer: { name: "underFit", models: 1, ...quick, epochs: 150, augmentation: "none" },
      }),
    );
    const { record } = memorizing.choose(source, asked, seeded(1));
    const { warnings } = record as unknown as DifficultyGuidedRecord;
    expect(warnings.join()).toMatch(/100\.0% of the real images have a difficulty below 0\.1/);
    const other = chooser.choose(source, asked, seeded(1)).record as unknown as DifficultyGuidedRecord;
    expect(other.warnings).toEqual([]);
  });

  test("chooses from a pool in memory: the result of no steps is images of the pool", () => {
    const train = toyDataset([12, 9, 6]);
    const pool: Dataset = { ...train, pixels: train.pixels.map((byte) => 255 - byte) };
    const run = distillationOf(train, {
      engine,
      pool,
      initialization: { name: "difficultyGuided", scorer: { name: "outOfFold", folds: 2, ...quick } },
      imagesPerClass: 2,
      network: { name: "convNet", depth: 1, width: 4 },
      steps: 0,
    });
    const { images, labels, mean, std } = run.synthetic();
    const bytes = Array.from(images, (value, i) => Math.round(255 * (value * std[i % 3]! + mean[i % 3]!)));
    const own = classIndices(pool);
    Array.from(labels).forEach((label, i) => {
      const image = bytes.slice(i * 192, (i + 1) * 192).join();
      const found = [...own[label]!].filter((at) => Array.from(subset(pool, [at]).pixels).join() === image);
      expect(found).toHaveLength(1);
    });
  });
});
