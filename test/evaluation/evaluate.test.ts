import { afterAll, describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { augmentationFor } from "../../src/datasets/augment.ts";
import type { Dataset } from "../../src/datasets/dataset.ts";
import { normalized } from "../../src/datasets/dataset.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { accuracy, disposeTestSet, testSet } from "../../src/evaluation/accuracy.ts";
import { evaluate } from "../../src/evaluation/evaluate.ts";
import { reference } from "../networks/chirp.ts";
import { type Judged, type Protocol, protocols, trainingFor } from "../../src/evaluation/protocols.ts";
import { convNet, type Network, networkOf, networks } from "../../src/networks/index.ts";
import { freshModel } from "../../src/training/model.ts";
import { finished } from "../../src/training/train.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

/** Class c is bright in channel c, under noise. */
function tinted(count: number, seed: number): Dataset {
  const rng = seeded(seed);
  const labels = Int32Array.from({ length: count }, (_, i) => i % 3);
  const pixels = Uint8Array.from({ length: count * 192 }, (_, p) => {
    const tint = p % 3 === labels[Math.floor(p / 192)] ? 60 : 0;
    return tint + rng.integer(120);
  });
  const classNames = ["red", "green", "blue"];
  return {
    name: "tinted",
    classNames,
    imageShape: [8, 8, 3],
    pixels,
    labels,
    mean: [0.3, 0.3, 0.3],
    std: [0.15, 0.15, 0.15],
  };
}

const real = tinted(31, 1);
const network = convNet({ depth: 1, width: 8, norm: "batch" }, { imageShape: [8, 8, 3], classes: 3 });
const brief: Protocol = {
  ...protocols.quick,
  training: { ...protocols.quick.training, epochs: 30, augmentation: ["flip", "crop"] },
};

const {
  case7_schedules: { rates },
} = reference<{ case7_schedules: { rates: { initial: number; epochs: [epoch: number, rate: number][] } } }>(
  "tm.json",
);

describe("accuracy", () => {
  /** The logits are the means of the channels, shuffled: class c looks at channel (c + shift) mod 3. */
  const oracle = (shift: number): Network => ({
    ...network,
    name: "oracle",
    parameters: [],
    statistics: [],
    logits: (_parameters, images) => {
      const means = images.mean([1, 2]);
      return means.gather(engine.indices([0, 1, 2].map((c) => (c + shift) % 3)), 1);
    },
  });

  test("counts the images whose largest logit is their label's, in all and by class", () => {
    const test = testSet(real, engine, 7);
    expect(test.batches.map(({ shape }) => shape[0])).toEqual([7, 7, 7, 7, 3]);
    expect(accuracy(freshModel(oracle(0), engine, seeded(0)), test)).toEqual({
      accuracy: 1,
      perClass: [1, 1, 1],
    });
    expect(accuracy(freshModel(oracle(1), engine, seeded(0)), test)).toEqual({
      accuracy: 0,
      perClass: [0, 0, 0],
    });
    disposeTestSet(test);
  });

  test("goes through the set as many images at once as the network takes, in order", () => {
    const test = testSet(real, engine, 7);
    const sizes: number[] = [];
    const right = oracle(0);
    const narrow: Network = {
      ...right,
      largest: 2 ** 26 / 3,
      logits: (parameters, images) => {
        sizes.push(images.shape[0]!);
        return right.logits(parameters, images);
      },
    };
    const alive = engine.liveTensors();
    expect(accuracy(freshModel(narrow, engine, seeded(0)), test).accuracy).toBe(1);
    expect(sizes).toEqual([3, 3, 1, 3, 3, 1, 3, 3, 1, 3, 3, 1, 3]);
    expect(engine.liveTensors()).toBe(alive);
    disposeTestSet(test);
  });

  test("with one class wrong, is the share of the others", () => {
    // Labels 0, 1, 2, 0, …: of 31, class 0 has 11, the others 10. Calling class 2 "0" leaves 21 right.
    const relabeled = { ...real, labels: real.labels.map((label) => (label === 2 ? 0 : label)) };
    const test = testSet(relabeled, engine);
    const measured = accuracy(freshModel(oracle(0), engine, seeded(0)), {
      ...test,
      classNames: ["a", "b", "c"],
    });
    expect(measured.accuracy).toBe(21 / 31);
    expect(measured.perClass.slice(0, 2)).toEqual([11 / 21, 1]);
    disposeTestSet(test);
  });

  test("refuses a network for other classes", () => {
    const test = testSet(real, engine);
    const other = convNet({ depth: 1, width: 4 }, { imageShape: [8, 8, 3], classes: 5 });
    expect(() => accuracy(freshModel(other, engine, seeded(0)), test)).toThrow(
      "accuracy: expected a network for 3 classes, got one for 5",
    );
    disposeTestSet(test);
  });
});

describe("evaluation", () => {
  const synthetic = tinted(12, 2);
  const images = engine.tensor(
    [12, 8, 8, 3],
    normalized(
      synthetic,
      Array.from({ length: 12 }, (_, i) => i),
    ),
  );
  const plan = { network, images, labels: synthetic.labels, test: testSet(real, engine), protocol: brief };

  test("learns an easy task, says by which protocol, and leaves nothing behind", () => {
    const alive = engine.liveTensors();
    const { accuracy, perClass, ...how } = finished(evaluate(plan, seeded(3)));
    expect(accuracy).toBeGreaterThan(0.9);
    expect(perClass).toHaveLength(3);
    expect(how).toEqual({ protocol: "quick", protocolVersion: 1, training: brief.training });
    expect(engine.liveTensors()).toBe(alive);
  });

  test("the same seed gives the same bits, another seed another network", () => {
    const short = { ...brief, training: { ...brief.training, epochs: 2 } };
    const losses = (seed: number): number[] => {
      const seen: number[] = [];
      for (const { loss } of evaluate({ ...plan, protocol: short }, seeded(seed))) seen.push(loss.item());
      return seen;
    };
    expect(losses(4)).toEqual(losses(4));
    expect(losses(5)).not.toEqual(losses(4));
  });

  test("a learned rate replaces the protocol's and is reported", () => {
    const { training } = finished(evaluate({ ...plan, learningRate: 0.002 }, seeded(6)));
    expect(training).toEqual({ ...brief.training, learningRate: 0.002 });
  });

  test("is by the protocol's exception where one applies to test set and network, and says so", () => {
    const augmentation = { condensation: ["crop", "rotate"] } as const;
    const shorter: Protocol = {
      ...brief,
      exceptions: [
        {
          applies: (judged) => judged.dataset === "tinted" && judged.network === network,
          training: { ...brief.training, epochs: 3, augmentation },
        },
      ],
    };
    const epochs: number[] = [];
    const run = evaluate({ ...plan, protocol: shorter }, seeded(7));
    let next = run.next();
    for (; !next.done; next = run.next()) epochs.push(next.value.epoch);
    expect(epochs).toEqual([0, 1, 2]);
    expect(next.value.training).toEqual({ ...brief.training, epochs: 3, augmentation });
    const others = { ...plan, test: { ...plan.test, name: "others" }, protocol: shorter };
    expect(finished(evaluate(others, seeded(7))).training).toEqual(brief.training);
  });
});

describe("protocols", () => {
  test.each(Object.entries(protocols))("%s is listed under its id, and can be run", (id, protocol) => {
    expect(protocol.id).toBe(id);
    const { training, exceptions = [] }: Protocol = protocol;
    for (const { epochs, drops } of [training, ...exceptions.map((one) => one.training)])
      for (const epoch of drops.afterEpochs) expect(epoch).toBeLessThan(epochs - 1);
  });

  test("dm-1000 trains 502 epochs at 0.01 and 499 at 0.001", () => {
    const { epochs, drops, learningRate, batchSize, momentum, weightDecay } = protocols["dm-1000"].training;
    expect([drops.afterEpochs[0] + 1, epochs - drops.afterEpochs[0] - 1]).toEqual([502, 499]);
    expect([learningRate, drops.factor, batchSize, momentum, weightDecay]).toEqual([
      0.01, 0.1, 256, 0.9, 5e-4,
    ]);
  });

  test("dc-300 trains 152 epochs at 0.01 and 149 at 0.001, and augments nothing", () => {
    const { epochs, drops, augmentation, ...others } = protocols["dc-300"].training;
    expect([drops.afterEpochs[0] + 1, epochs - drops.afterEpochs[0] - 1]).toEqual([152, 149]);
    expect(augmentation).toEqual([]);
    expect(others).toEqual({ batchSize: 256, momentum: 0.9, weightDecay: 5e-4, learningRate: 0.01 });
  });

  describe("dc-300's exceptions", () => {
    const task = { imageShape: [32, 32, 3], classes: 10 } as const;
    const digits = Array.from({ length: 10 }, (_, digit) => String(digit));
    const judged = (dataset: string, options: object = {}): Judged => ({
      dataset,
      classNames: digits,
      network: networkOf({ ...networks.convNet.options.parse(options), name: "convNet" }, task),
    });
    const usual = protocols["dc-300"].training;
    const longer = (...condensation: string[]): object => ({
      ...protocols["dm-1000"].training,
      augmentation: { condensation },
    });
    const training = (one: Judged): object => trainingFor(protocols["dc-300"], one);

    test("are MNIST, but no other set of digits", () => {
      expect(training(judged("mnist"))).toEqual(longer("crop", "scale", "rotate"));
      for (const dataset of ["svhn", "fashionMnist", "cifar10"])
        expect(training(judged(dataset))).toEqual(usual);
    });

    test("and ConvNets with batch norm of any size, on MNIST too, but no other architecture with it", () => {
      for (const dataset of ["mnist", "cifar10"]) {
        expect(training(judged(dataset, { norm: "batch", depth: 2, width: 32 }))).toEqual(
          longer("crop", "noise"),
        );
      }
      for (const norm of ["layer", "group", "none"])
        expect(training(judged("cifar10", { norm }))).toEqual(usual);
      const residual = networks.resNet18.build(networks.resNet18.options.parse({ norm: "batch" }), task);
      expect(residual.statistics.length).toBeGreaterThan(0);
      expect(training({ ...judged("cifar10"), network: residual })).toEqual(usual);
    });

    test("take a learned rate as all others do", () => {
      expect(training({ ...judged("mnist"), learningRate: 0.5 })).toMatchObject({ learningRate: 0.5 });
    });
  });

  test.each(["mtt-1000", "datm-1000"] as const)("%s lowers the learned rate after epoch 501", (id) => {
    const { initial, epochs } = rates;
    const judged = { dataset: "cifar10", classNames: ["a"], network: { name: "x" }, learningRate: initial };
    const { learningRate, drops, epochs: all } = trainingFor(protocols[id], judged);
    expect(all).toBe(1001);
    for (const [epoch, rate] of epochs) {
      const dropped = drops.afterEpochs.filter((last) => last < epoch).length;
      expect(learningRate * drops.factor ** dropped).toBeCloseTo(rate, 12);
    }
  });

  test("ncfm-2000 halves the rate of AdamW every 400 epochs", () => {
    const { epochs, drops, augmentation, ...others } = protocols["ncfm-2000"].training;
    const ends = [...drops.afterEpochs.map((last) => last + 1), epochs];
    expect(ends).toEqual([400, 800, 1200, 1600, 2000]);
    expect(drops).toMatchObject({ factor: 0.5, keepsMomentum: true });
    expect(augmentation.map((ops) => [ops].flat().join("+"))).toEqual(
      ["crop", "scale", "rotate"].map((op) => `flip+color+${op}`),
    );
    expect(others).toEqual({
      optimizer: "adamW",
      batchSize: 128,
      learningRate: 0.001,
      momentum: 0.9,
      weightDecay: 0.01,
      cutMix: { probability: 0.5, alpha: 1 },
    });
  });

  test("digits are not mirrored", () => {
    const { augmentation } = protocols["dm-1000"].training;
    const digits = Array.from({ length: 10 }, (_, digit) => String(digit));
    expect(augmentationFor(augmentation, digits)).toEqual(["color", "crop", "cutout", "scale", "rotate"]);
    expect(augmentationFor(augmentation, ["cat", "dog"])).toEqual(augmentation);
    expect(augmentationFor(protocols["ncfm-2000"].training.augmentation, digits)).toEqual(
      ["crop", "scale", "rotate"].map((op) => ["color", op]),
    );
  });
});
