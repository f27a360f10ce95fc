import { afterAll, describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { classCounts, countOf, subset } from "../../src/datasets/dataset.ts";
import { selectEngine, type Tensor } from "../../src/engines/index.ts";
import { disposeTestSet, testSet } from "../../src/evaluation/accuracy.ts";
import type { RankingProtocol } from "../../src/evaluation/rankingProtocols.ts";
import { pretrainedModel } from "../../src/objectives/pretraining.ts";
import {
  accuraciesIn,
  heldOutPositions,
  looksOf,
  randomImages,
  rankingTraining,
  realAccuraciesIn,
  realHard,
  type RankingSetting,
} from "../../src/runs/ranking.ts";
import { preparationKey } from "../../src/runs/setting.ts";
import { finished } from "../../src/training/train.ts";
import { toyDataset, toySource } from "../support/toy.ts";

const { engine } = await selectEngine("auto", { threads: 1 });
const common = { momentum: 0.9, weightDecay: 5e-4 };
const drops = { afterEpochs: [2], factor: 0.1, keepsMomentum: true };
const protocol: RankingProtocol = {
  id: "tiny",
  version: 1,
  description: "For tests.",
  training: { ...common, batchSize: 8, epochs: 4, drops },
  rates: [0.02, 0.1],
  real: { ...common, batchSize: 16, epochs: 4, learningRate: 0.05, drops },
  augmentation: "color_crop_flip",
  looks: { hard: 2, soft: 4 },
  networks: 2,
};

const real = toyDataset([30, 20, 12]);
const tests = {
  test: testSet(toyDataset([5, 5, 5]), engine),
  heldOut: testSet(subset(real, heldOutPositions(real)), engine),
};
afterAll(() => {
  [tests.test, tests.heldOut].forEach(disposeTestSet);
  engine.close();
});

const setting: RankingSetting = {
  protocol,
  network: { name: "convNet", depth: 1, width: 4, activation: "relu", norm: "instance", pooling: "avg" },
  classNames: real.classNames,
  space: {},
  networks: 2,
  looks: true,
  tests: () => tests,
};
const source = toySource(engine, { counts: [30, 20, 12] });
const hard = { counts: [2, 2, 2], labels: "hard", augmented: true, learningRate: 0.05 } as const;

describe("held-out images", () => {
  test("are a tenth of each class, and one of a small class", () => {
    const counts = [40, 25, 2, 1];
    expect(classCounts(subset(toyDataset(counts), heldOutPositions(toyDataset(counts))))).toEqual([
      4, 2, 1, 0,
    ]);
  });

  test("are always the same", () => {
    expect(heldOutPositions(real)).toEqual(heldOutPositions(toyDataset([30, 20, 12])));
  });
});

describe("networks on random images", () => {
  /** Images that each class has for training, all of which are asked for: the random ones are then known. */
  const others = classCounts(real).map(
    (count, label) => count - classCounts(subset(real, heldOutPositions(real)))[label]!,
  );

  test("are tested on test and held-out images, and look at the former as often as the protocol says", () => {
    const found = accuraciesIn(finished(randomImages(setting, hard).part(source, 0, seeded(3))));
    expect(Object.keys(found).sort()).toEqual(["accuracy", "best", "heldOut"]);
    expect(found.best).toBeGreaterThanOrEqual(found.accuracy);
    const blind = accuraciesIn(
      finished(randomImages({ ...setting, looks: false }, hard).part(source, 0, seeded(3))),
    );
    expect(blind).toEqual({ accuracy: found.accuracy, heldOut: found.heldOut });
  });

  test("learn no held-out image: of all others there are as many as are asked for, each once", () => {
    const { images, labels } = seenBy({ ...hard, counts: others });
    expect(images.size).toBe(others.reduce((sum, count) => sum + count));
    const held = subset(real, heldOutPositions(real));
    for (let i = 0; i < countOf(held); i++) expect(images.has(pictureOf(held, i))).toBe(false);
    expect(labels).toEqual(others);
  });

  test("learn other images by another seed, and the same by another rate and without augmentation", () => {
    const images = seenBy(hard).images;
    expect(seenBy({ ...hard, learningRate: 0.1, augmented: false }).images).toEqual(images);
    expect(seenBy(hard, 4).images).not.toEqual(images);
  });

  /** Pictures that a network is trained on, and how many of each class: by a real data set that tells what is taken from it. */
  function seenBy(
    given: Parameters<typeof randomImages>[1],
    seed = 3,
  ): { images: Set<string>; labels: number[] } {
    const taken: number[] = [];
    const size = real.pixels.length / countOf(real);
    const watched = new Proxy(real.pixels, {
      get(target, key) {
        if (key === "subarray") {
          return (from: number, to: number) => {
            taken.push(from / size);
            return target.subarray(from, to);
          };
        }
        return Reflect.get(target, key, target) as unknown;
      },
    });
    finished(
      randomImages(setting, given).part({ ...source, real: { ...real, pixels: watched } }, 0, seeded(seed)),
    );
    return {
      images: new Set(taken.map((at) => pictureOf(real, at))),
      labels: classCounts(subset(real, taken)),
    };
  }

  function pictureOf({ pixels, labels }: typeof real, at: number): string {
    const size = pixels.length / labels.length;
    return pixels.subarray(at * size, (at + 1) * size).join();
  }
});

describe("networks on all real images", () => {
  const preparation = realHard(setting);
  const arrays = finished(preparation.part(source, 0, seeded(5)));

  test("are pretrained ones, to be read as such, with their accuracies on the test images", () => {
    const { accuracy, best } = realAccuraciesIn(arrays);
    expect(accuracy).toBeGreaterThan(0.5);
    expect(best).toBeGreaterThanOrEqual(accuracy);
    const reading = { ...source, prepared: () => arrays };
    engine.scope(() => expect(pretrainedModel(reading, preparation, 0).trained.length).toBeGreaterThan(0));
  });

  test("go on from any epoch to the same bits", () => {
    for (const stop of [1, 3]) {
      const run = preparation.part(source, 0, seeded(5));
      let report = run.next();
      for (let epoch = 1; epoch < stop; epoch++) report = run.next();
      const state = copied((report.value as { state: object }).state);
      run.return(undefined as never);
      expect(finished(preparation.part(source, 0, seeded(5), state as never))).toEqual(arrays);
    }
  });

  test("label random images, where labels are soft", () => {
    const soft = randomImages(setting, { ...hard, labels: "soft" });
    expect(soft.needs!.map(preparationKey)).toEqual([preparationKey(preparation)]);
    // A teacher that takes everything for the first class.
    const bias = Object.keys(arrays).filter(
      (name) => /^trained\/.*bias$/.test(name) && arrays[name]!.shape[0] === 3,
    );
    expect(bias).toHaveLength(1);
    const certain = { ...arrays, [bias[0]!]: { shape: [3], data: Float32Array.of(1e3, 0, 0) } };
    const found = accuraciesIn(finished(soft.part({ ...source, prepared: () => certain }, 0, seeded(3))));
    expect(found.accuracy).toBeCloseTo(1 / 3, 10);
    expect(found.heldOut).toBeCloseTo(1 / 3, 10);
  });

  /** Tensors of a state that outlive the training it is of. */
  function copied(value: unknown): unknown {
    if (typeof value !== "object" || value === null) return value;
    if ("matMul" in value) {
      const tensor = value as Tensor;
      return engine.tensor(tensor.shape, Float32Array.from(tensor.values()));
    }
    if (Array.isArray(value)) return value.map(copied);
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, copied(one)]));
  }
});

test("what changes accuracies names another preparation, and nothing else does", () => {
  const key = (given: Partial<typeof hard | { labels: "soft"; counts: number[] }>, at = setting): string =>
    preparationKey(randomImages(at, { ...hard, ...given }));
  expect(key({}, { ...setting, networks: 5, protocol: { ...protocol, id: "other" } })).toBe(key({}));
  const keys = [
    key({}),
    key({ labels: "soft" }),
    key({ counts: [2, 2, 1] }),
    key({}, { ...setting, space: { mean: [0] } }),
    key({}, { ...setting, looks: false }),
    key({}, { ...setting, protocol: { ...protocol, training: { ...protocol.training, epochs: 5 } } }),
  ];
  expect(new Set(keys).size).toBe(keys.length);
});

test("soft labels are looked at as seldom as the protocol says, and augmentation is as asked", () => {
  expect([
    looksOf(setting, "hard"),
    looksOf(setting, "soft"),
    looksOf({ ...setting, looks: false }, "hard"),
  ]).toEqual([2, 4, undefined]);
  expect(rankingTraining(setting, { augmented: false, learningRate: 1 }).augmentation).toEqual([]);
  expect(rankingTraining(setting, { augmented: true, learningRate: 1 }).augmentation).toEqual([
    "color",
    "crop",
    "flip",
  ]);
});
