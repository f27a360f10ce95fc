import { afterAll, describe, expect, test } from "@jest/globals";
import { type Rng, seeded } from "../../src/core/rng.ts";
import { type Dataset, normalized } from "../../src/datasets/dataset.ts";
import { condensationAugmented, drawCondensation } from "../../src/datasets/condensationAugment.ts";
import { mapTensors, type Tensor, type Tree } from "../../src/engines/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { crossEntropy } from "../../src/losses/crossEntropy.ts";
import { convNet, type Network } from "../../src/networks/index.ts";
import { disposeModel, freshModel, type Model } from "../../src/training/model.ts";
import { adam, type Optimizer, sgd } from "../../src/optimizers/index.ts";
import {
  type EpochReport,
  finished,
  train,
  type TrainingOptions,
  type TrainingState,
} from "../../src/training/train.ts";
import { parameterGradient } from "../../src/training/parameterGradient.ts";
import { datasetData, tensorData, type TrainingData } from "../../src/training/trainingData.ts";
import { chirpImages, chirpParameters, expectNear, reference } from "../networks/chirp.ts";

const { case6_eval_sgd: expected } = reference<{
  case6_eval_sgd: { losses: number[]; test_logits_after: number[][] };
}>("gm.json");

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

const plain: TrainingOptions = {
  epochs: 3,
  batchSize: 4,
  learningRate: 0.05,
  momentum: 0.9,
  weightDecay: 5e-4,
  drops: { afterEpochs: [], factor: 0.1 },
  augmentation: [],
};

const task = { imageShape: [8, 8, 3], classes: 3 } as const;
const small = convNet({ depth: 2, width: 4 }, task);
const normed = convNet({ depth: 2, width: 4, norm: "batch" }, task);
const images = engine.tensor([10, 8, 8, 3], seeded(1).fillNormal(new Float64Array(10 * 192)));
const labels = Int32Array.from({ length: 10 }, (_, i) => i % 3);
const bits = ({ parameters, statistics }: Model): number[][] =>
  [...parameters, ...statistics].map((tensor: Tensor) => Array.from(tensor.values()));

test("losses and logits agree with the authors' code, through a drop of the learning rate that forgets momentum", () => {
  const network = convNet({ width: 8 }, { imageShape: [32, 32, 3], classes: 10 });
  const start: Model = { network, parameters: chirpParameters(engine, network), statistics: [] };
  const data = tensorData(chirpImages(engine, "syn", [4, 32, 32, 3]), Int32Array.of(0, 1, 2, 3));
  const options = { ...plain, epochs: 6, learningRate: 0.01, drops: { afterEpochs: [3], factor: 0.1 } };
  const run = train(start, data, options, seeded(0));
  const losses: number[] = [];
  let next = run.next();
  for (; !next.done; next = run.next()) losses.push(next.value.loss.item());
  // The mean over a shuffled batch rounds differently, and six steps amplify it.
  expectNear(losses, expected.losses, 1e-7);
  const logits = network.logits(next.value.parameters, chirpImages(engine, "test", [1, 32, 32, 3]));
  expectNear(logits.values(), expected.test_logits_after[0]!, 1e-7);
});

describe("training", () => {
  test.each([
    ["instance norm", small],
    ["batch norm", normed],
  ])("fits what it is shown, with %s", (_name, network) => {
    const start = freshModel(network, engine, seeded(2));
    const losses: number[] = [];
    const run = train(start, tensorData(images, labels), { ...plain, epochs: 60 }, seeded(3));
    let next = run.next();
    for (; !next.done; next = run.next()) losses.push(next.value.loss.item());
    expect(losses).toHaveLength(60);
    expect(losses[0]).toBeGreaterThan(0.8);
    expect(losses.at(-1)).toBeLessThan(0.1);
  });

  test("the same seed gives the same bits, another seed others", () => {
    const augmentation = ["crop", "flip", "rotate", "color"] as const;
    const once = (seed: number): number[][] => {
      const start = freshModel(normed, engine, seeded(4));
      return bits(
        finished(train(start, tensorData(images, labels), { ...plain, augmentation }, seeded(seed))),
      );
    };
    const first = once(5);
    expect(once(5)).toEqual(first);
    expect(once(6)).not.toEqual(first);
  });

  test.each([[["crop"] as const], [{ condensation: ["crop"] } as const]])(
    "augmented by %j, leaves the start as it was, and frees all but the result",
    (augmentation) => {
      const start = freshModel(normed, engine, seeded(7));
      const before = bits(start);
      const alive = engine.liveTensors();
      const result = finished(
        train(start, tensorData(images, labels), { ...plain, augmentation }, seeded(8)),
      );
      expect(engine.liveTensors()).toBe(alive + before.length);
      expect(bits(start)).toEqual(before);
      disposeModel(result);
      expect(engine.liveTensors()).toBe(alive);
    },
  );

  test("by condensation's augmentation is training on images so augmented", () => {
    const shown: number[][] = [];
    const seeing: Network = {
      ...small,
      logits: (theta, batch, mode) => {
        shown.push(Array.from(batch.values()));
        return small.logits(theta, batch, mode);
      },
    };
    const augmentation = { condensation: ["crop", "scale", "rotate"] } as const;
    const one = { ...plain, epochs: 1, batchSize: 10, augmentation };
    const start = freshModel(seeing, engine, seeded(26));
    finished(train(start, tensorData(images, labels), one, seeded(27)));
    const dice = seeded(27).stream("epoch/0");
    const order = engine.indices(dice.stream("order").permutation(10));
    const changes = drawCondensation(augmentation, 10, [8, 8, 3], dice.stream("augmentation"));
    expect(shown).toEqual([Array.from(condensationAugmented(images.gather(order), changes).values())]);
  });

  test("abandoned after an epoch, frees all it made", () => {
    const start = freshModel(small, engine, seeded(7));
    const alive = engine.liveTensors();
    for (const { epoch } of train(start, tensorData(images, labels), plain, seeded(8)))
      if (epoch === 1) break;
    expect(engine.liveTensors()).toBe(alive);
  });

  describe("on mini-batches larger than the network takes at once", () => {
    /** Tensors after training on mini-batches of 7 and 3 images, with the sizes that the network was given. */
    const trained = (network: Network, atOnce: number): { values: number[][]; sizes: number[] } => {
      const sizes: number[] = [];
      const narrow: Network = {
        ...network,
        largest: 2 ** 26 / atOnce,
        logits: (theta, batch, mode) => {
          sizes.push(batch.shape[0]!);
          return network.logits(theta, batch, mode);
        },
      };
      const start = freshModel(narrow, engine, seeded(17));
      const options = { ...plain, batchSize: 7, augmentation: ["crop"] as const };
      return { values: bits(finished(train(start, tensorData(images, labels), options, seeded(18)))), sizes };
    };

    test("is what it is on whole ones, in parts of unequal size", () => {
      const whole = trained(small, 7);
      const parts = trained(small, 4);
      expect(whole.sizes).toEqual([7, 3, 7, 3, 7, 3]);
      expect(parts.sizes).toEqual([4, 3, 3, 4, 3, 3, 4, 3, 3]);
      parts.values.forEach((values, i) => expectNear(values, whole.values[i]!, 1e-12));
    });

    test("takes whole ones under batch norm", () => {
      const whole = trained(normed, 7);
      expect(trained(normed, 4)).toEqual(whole);
    });
  });

  test("an epoch's loss is the mean over images, though its last mini-batch is smaller", () => {
    const start = freshModel(small, engine, seeded(9));
    const still = { ...plain, epochs: 1, learningRate: 1e-300, weightDecay: 0 };
    const whole = crossEntropy(small.logits(start.parameters, images), labels).item();
    for (const { loss } of train(start, tensorData(images, labels), still, seeded(10))) {
      expect(loss.item()).toBeCloseTo(whole, 12);
    }
    expect.assertions(1);
  });

  test("takes the images in an order of its own, where they may recur", () => {
    const epochs: number[][] = [];
    const order = (rng: Rng): Int32Array => {
      const positions = Int32Array.from({ length: 6 }, () => rng.integer(10));
      epochs.push(Array.from(positions));
      return positions;
    };
    const shown: number[] = [];
    const data = tensorData(images, labels);
    const seen: TrainingData = {
      ...data,
      batch: (positions) => {
        shown.push(...positions);
        return data.batch(positions);
      },
    };
    const start = freshModel(small, engine, seeded(9));
    const still = { ...plain, epochs: 2, learningRate: 1e-300, weightDecay: 0, order };
    for (const { epoch, loss } of train(start, seen, still, seeded(10))) {
      const { images: taken, labels: named } = data.batch(Int32Array.from(epochs[epoch]!));
      expect(loss.item()).toBeCloseTo(crossEntropy(small.logits(start.parameters, taken), named).item(), 12);
    }
    expect(shown).toEqual(epochs.flat());
    expect(epochs[0]).not.toEqual(epochs[1]);
  });

  test("one-hot labels train as hard ones do", () => {
    const oneHot = engine.tensor(
      [10, 3],
      Array.from({ length: 30 }, (_, i) => Number(labels[Math.floor(i / 3)] === i % 3)),
    );
    const start = freshModel(small, engine, seeded(11));
    const hard = bits(finished(train(start, tensorData(images, labels), plain, seeded(12))));
    const soft = bits(finished(train(start, tensorData(images, oneHot), plain, seeded(12))));
    soft.forEach((values, i) => expectNear(values, hard[i]!, 1e-10));
  });

  test("batch norm's running statistics approach those of the data", () => {
    const start = freshModel(normed, engine, seeded(13));
    const still = { ...plain, epochs: 100, batchSize: 10, learningRate: 1e-300, weightDecay: 0 };
    const { statistics } = finished(train(start, tensorData(images, labels), still, seeded(14)));
    const mean = images
      .conv2d(start.parameters[0]!, { bias: start.parameters[1]!, padding: 1 })
      .mean([0, 1, 2]);
    expectNear(statistics[0]!.values(), Array.from(mean.values()), 1e-4); // 0.9¹⁰⁰ < 3 · 10⁻⁵ of the start remains
  });

  test("a diverging run is an error, not an accuracy", () => {
    const start = freshModel(small, engine, seeded(15));
    expect(() =>
      finished(train(start, tensorData(images, labels), { ...plain, learningRate: 1e200 }, seeded(16))),
    ).toThrow("train: expected a finite loss, got NaN after 3 epochs; lower the learning rate");
  });
});

describe("a training that goes on from an epoch's state", () => {
  const changing: TrainingOptions = {
    ...plain,
    epochs: 6,
    augmentation: ["crop", "flip"],
    cutMix: { probability: 0.5, alpha: 1 },
  };
  test.each([
    ["SGD through a drop that forgets momentum", { drops: { afterEpochs: [1, 3], factor: 0.5 } }],
    ["SGD through one that keeps it", { drops: { afterEpochs: [1, 3], factor: 0.5, keepsMomentum: true } }],
    ["AdamW", { optimizer: "adamW", learningRate: 0.01, weightDecay: 0.1 }],
    ["SGD with condensation's augmentation", { augmentation: { condensation: ["crop", "rotate", "noise"] } }],
  ] as const)("ends with the same bits, by %s", (_name, options) => {
    const start = freshModel(normed, engine, seeded(20));
    const run = (from: Model): Generator<EpochReport, Model> =>
      train(from, tensorData(images, labels), { ...changing, ...options }, seeded(21));
    const whole = bits(finished(run(start)));
    for (const cut of [0, 1, 3, 5]) {
      const first = run(start);
      let state: Tree = null;
      for (const { epoch, model } of first) {
        // A copy through bytes, as a file would keep it.
        if (epoch === cut) {
          state = mapTensors({ ...model, network: null }, (tensor) =>
            engine.tensor(tensor.shape, Float64Array.from(tensor.values())),
          ) as Tree;
          break;
        }
      }
      const restored = { ...(state as unknown as TrainingState), network: normed };
      expect(restored.epochs).toBe(cut + 1);
      const reports: number[] = [];
      const rest = run(restored);
      let next = rest.next();
      for (; !next.done; next = rest.next()) reports.push(next.value.epoch);
      expect(reports).toEqual([0, 1, 2, 3, 4, 5].slice(cut + 1));
      expect(bits(next.value)).toEqual(whole);
    }
  });

  test("leaves that state as it was, and frees all but the result", () => {
    const start = freshModel(normed, engine, seeded(22));
    const run = train(start, tensorData(images, labels), plain, seeded(23));
    const { model } = run.next().value as EpochReport;
    const before = bits(model);
    const alive = engine.liveTensors();
    const result = finished(train(model, tensorData(images, labels), plain, seeded(23)));
    expect(engine.liveTensors()).toBe(alive + before.length);
    expect(bits(model)).toEqual(before);
    disposeModel(result);
    run.return(result);
  });
});

describe("optimizers", () => {
  // One mini-batch an epoch, so that the order of its images changes rounding alone.
  const whole = { ...plain, batchSize: 10, epochs: 4 };
  const data = tensorData(images, labels);

  /** Parameters after steps by hand, each with the optimizer of its epoch. */
  function byHand(optimizerOf: (epoch: number) => Optimizer, startAnew: readonly number[]): number[][] {
    let values: readonly Tensor[] = freshModel(small, engine, seeded(24)).parameters;
    let states = values.map((value) => optimizerOf(0).init(value));
    for (let epoch = 0; epoch < whole.epochs; epoch++) {
      if (startAnew.includes(epoch)) states = values.map((value) => optimizerOf(epoch).init(value));
      const gradient = parameterGradient(small, values, { images, labels });
      const updated = values.map((value, i) => optimizerOf(epoch).update(value, gradient[i]!, states[i]!));
      values = updated.map((one) => one.value);
      states = updated.map((one) => one.state);
    }
    return values.map((value) => Array.from(value.values()));
  }
  const trained = (options: Partial<TrainingOptions>): number[][] =>
    bits(finished(train(freshModel(small, engine, seeded(24)), data, { ...whole, ...options }, seeded(25))));
  const expectSame = (got: number[][], wanted: number[][]): void =>
    got.forEach((values, i) => expectNear(values, wanted[i]!, 1e-9));

  test("a drop of the rate keeps momentum where asked to, and forgets it otherwise", () => {
    const rule = (epoch: number): Optimizer =>
      sgd({ learningRate: epoch < 2 ? 0.05 : 0.025, momentum: 0.9, weightDecay: 5e-4 });
    const drops = { afterEpochs: [1], factor: 0.5 };
    expectSame(trained({ drops }), byHand(rule, [2]));
    expectSame(trained({ drops: { ...drops, keepsMomentum: true } }), byHand(rule, []));
  });

  test.each(["adam", "adamW"] as const)("%s takes momentum for its first β", (optimizer) => {
    const rule = (): Optimizer =>
      adam({
        learningRate: 0.01,
        beta1: 0.8,
        beta2: 0.999,
        epsilon: 1e-8,
        weightDecay: 0.1,
        decoupled: optimizer === "adamW",
      });
    const options = { optimizer, learningRate: 0.01, momentum: 0.8, weightDecay: 0.1 } as const;
    expectSame(trained(options), byHand(rule, []));
  });
});

describe("training data", () => {
  test("a data set's batch is normalized and in the order asked for", () => {
    const dataset: Dataset = {
      name: "two",
      classNames: ["a", "b"],
      imageShape: [1, 1, 2],
      pixels: Uint8Array.of(0, 255, 51, 102),
      labels: Int32Array.of(0, 1),
      mean: [0.5, 0.25],
      std: [0.5, 0.25],
    };
    const { images, labels } = datasetData(dataset, engine).batch(Int32Array.of(1, 0));
    expect(Array.from(images.values())).toEqual(Array.from(normalized(dataset, [1, 0])));
    // (51/255 − 0.5)/0.5 = −0.6, (102/255 − 0.25)/0.25 = 0.6, (0 − 0.5)/0.5 = −1, (1 − 0.25)/0.25 = 3
    expectNear(images.values(), [-0.6, 0.6, -1, 3], 1e-6);
    expect(Array.from(labels as Int32Array)).toEqual([1, 0]);
  });

  test("images and labels must be as many", () => {
    expect(() => tensorData(images, Int32Array.of(0, 1))).toThrow(
      "training data: expected 10 labels, one for each image, got 2",
    );
  });
});
