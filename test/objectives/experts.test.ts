import { afterAll, describe, expect, test } from "@jest/globals";
import { InputError } from "../../src/core/errors.ts";
import { seeded } from "../../src/core/rng.ts";
import { augment, drawAugmentation, usualAugmentation } from "../../src/datasets/augment.ts";
import { longTail } from "../../src/datasets/longTail.ts";
import { classIndices } from "../../src/datasets/dataset.ts";
import type { Tensor, Tree } from "../../src/engines/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import type { NamedArrays } from "../../src/formats/array.ts";
import { decodeTree, encodeTree } from "../../src/formats/tree.ts";
import { initialTensors } from "../../src/networks/index.ts";
import {
  classifierExpertOptions,
  classifierExperts,
  type ExpertOptions,
  expertOf,
  expertOptions,
  experts,
  type Snapshots,
} from "../../src/objectives/experts.ts";
import type { Preparation, Source } from "../../src/objectives/objective.ts";
import { frozenBackbone } from "../../src/networks/frozenBackbone.ts";
import { balancedOrder } from "../../src/training/balancedOrder.ts";
import { type Batch, parameterGradient } from "../../src/training/parameterGradient.ts";
import { sharpnessGradient } from "../../src/training/sharpness.ts";
import { finished } from "../../src/training/train.ts";
import { datasetData } from "../../src/training/trainingData.ts";
import { expectClose } from "../support/close.ts";
import { toyDataset, toySource } from "../support/toy.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

const small = { count: 2, epochs: 5, batchSize: 7, learningRate: 0.05 } as const;
const optionsOf = (given: object = {}): ExpertOptions => expertOptions.parse({ ...small, ...given });
const early: Snapshots = { first: 1, last: 3, final: false };
const toy = toySource(engine);
const batchNormed = toySource(engine, { network: { norm: "batch" } });

const made = (preparation: Preparation, source: Source = toy, index = 0): NamedArrays =>
  finished(preparation.part(source, index, seeded(index)));

/** Epochs whose parameters are in a part. */
function epochsIn(arrays: NamedArrays): number[] {
  const epochs = Object.keys(arrays).flatMap((name) => /^epoch-(\d+)\//.exec(name)?.[1] ?? []);
  return [...new Set(epochs)].map(Number).sort((a, b) => a - b);
}

const numbers = (tensors: readonly Tensor[]): number[][] =>
  tensors.map((tensor) => Array.from(tensor.values()));

describe("what is kept", () => {
  test("is what the run needs, and the same as where all is kept", () => {
    const all = made(experts(optionsOf({ snapshots: "all" }), early));
    expect(epochsIn(all)).toEqual([0, 1, 2, 3, 4, 5]);
    const needed = made(experts(optionsOf(), early));
    expect(epochsIn(needed)).toEqual([1, 2, 3]);
    const withFinal = made(experts(optionsOf(), { first: 0, last: 1, final: true }));
    expect(epochsIn(withFinal)).toEqual([0, 1, 5]);
    for (const part of [needed, withFinal])
      for (const [name, array] of Object.entries(part)) if (name !== "loss") expect(array).toEqual(all[name]);
  });

  test("takes as much room as is said, but for its losses", () => {
    for (const needed of [early, { ...early, final: true }]) {
      const preparation = experts(optionsOf(), needed);
      const elements = Object.values(made(preparation)).reduce((sum, { data }) => sum + data.length, 0);
      const epochs = needed.final ? 5 : 3;
      // Of single-precision values.
      expect(preparation.bytes!(toy)).toBe(4 * (elements - epochs));
    }
  });

  test("is trained for no longer than needed", () => {
    const share = (needed: Snapshots): number[] =>
      [...experts(optionsOf(), needed).part(toy, 0, seeded(0))].map((report) => report.share);
    expect(share(early)).toEqual([1 / 3, 2 / 3, 1]);
    expect(share({ ...early, final: true })).toEqual([0.2, 0.4, 0.6, 0.8, 1]);
    const { loss } = made(experts(optionsOf(), early));
    expect(loss!.data).toHaveLength(3);
    expect(loss!.data[2]).toBeLessThan(Number(loss!.data[0]));
  });

  test("tells preparations apart where it matters, and lets others share", () => {
    const key = (given: object, needed: Partial<Snapshots> = {}): string =>
      JSON.stringify(experts(optionsOf(given), { ...early, ...needed }));
    expect(key({ epochs: 4 })).toBe(key({}));
    expect(key({ epochs: 4 }, { final: true })).not.toBe(key({}, { final: true }));
    expect(key({}, { last: 4 })).not.toBe(key({}));
    expect(key({}, { final: true })).not.toBe(key({}));
    const all = { snapshots: "all" };
    expect(key(all, { first: 0, last: 5, final: true })).toBe(key(all));
    expect(key({ ...all, epochs: 4 })).not.toBe(key(all));
    for (const change of [{ learningRate: 0.1 }, { augmentation: "flip" }, { weightDecay: 0.1 }])
      expect(key(change)).not.toBe(key({}));
  });
});

test("an expert is what SGD makes of its start on augmented mini-batches", () => {
  const expert = made(experts(optionsOf({ weightDecay: 0.01 }), { first: 0, last: 1, final: false }), toy, 1);
  let theta: readonly Tensor[] = initialTensors(toy.network.parameters, engine, seeded(1).stream("network"));
  const rng = seeded(1).stream("training").stream("epoch/0");
  const order = rng.stream("order").permutation(18);
  const dice = rng.stream("augmentation");
  const strategy = usualAugmentation(toy.real.classNames);
  expect(numbers(theta)).toEqual(snapshotIn(expert, 0));
  for (let begin = 0; begin < 18; begin += 7) {
    const { images, labels } = datasetData(toy.real, engine).batch(order.subarray(begin, begin + 7));
    const shown = augment(images, drawAugmentation(strategy, images.shape[0]!, [8, 8, 3], dice));
    const gradient = parameterGradient(toy.network, theta, { images: shown, labels });
    theta = theta.map((value, i) => value.sub(gradient[i]!.add(value.mul(0.01)).mul(0.05)));
  }
  expect(numbers(theta)).toEqual(snapshotIn(expert, 1));
});

/** Values of an expert's parameters after an epoch. */
function snapshotIn(arrays: NamedArrays, epoch: number): number[][] {
  return toy.network.parameters.map(({ name }) =>
    Array.from(arrays[`epoch-${epoch}/${name}`]!.data as Float64Array),
  );
}

describe("a part", () => {
  test.each([
    [1, toy],
    [3, toy],
    [5, batchNormed],
  ])("left after %i of 5 epochs goes on to the same bits and frees what it went on from", (cut, source) => {
    const preparation = experts(optionsOf({ momentum: 0.5 }), { first: 0, last: 3, final: true });
    const whole = made(preparation, source);
    const live = engine.liveTensors();
    let bytes = new Uint8Array();
    for (const { share, state } of preparation.part(source, 0, seeded(0))) {
      if (share !== cut / 5) continue;
      bytes = Uint8Array.from(encodeTree(state!));
      break;
    }
    const state: Tree = decodeTree(bytes, engine).tree;
    const rest = preparation.part(source, 0, seeded(0), state);
    const shares: number[] = [];
    let next = rest.next();
    for (; !next.done; next = rest.next()) shares.push(next.value.share);
    expect(shares).toEqual([0.2, 0.4, 0.6, 0.8, 1].slice(cut));
    expect(next.value).toEqual(whole);
    expect(engine.liveTensors()).toBe(live);
  });

  test("leaves no tensor behind, also when it is given up", () => {
    const preparation = experts(optionsOf(), early);
    const live = engine.liveTensors();
    made(preparation, batchNormed);
    expect(engine.liveTensors()).toBe(live);
    for (const { share } of preparation.part(batchNormed, 0, seeded(0))) if (share > 0.5) break;
    expect(engine.liveTensors()).toBe(live);
  });

  test("of a long-tailed set learns too", () => {
    const real = longTail(toyDataset([12, 12, 12]), { imbalance: 6, largest: 12, seed: 3 }).subset;
    const classes = classIndices(real);
    expect(classes.map(({ length }) => length)).toEqual([12, 4, 2]);
    const { loss } = made(experts(optionsOf({ epochs: 20 }), { first: 0, last: 20, final: false }), {
      ...toy,
      real,
      classes,
    });
    expect(Number(loss!.data[19])).toBeLessThan(0.7 * Number(loss!.data[0]));
  });

  test("whose loss is no number ends at once", () => {
    const preparation = experts(optionsOf({ learningRate: 1e200, weightDecay: 1 }), { ...early, last: 5 });
    const live = engine.liveTensors();
    expect(() => made(preparation)).toThrow(
      /^experts: expected a finite loss, got \S+ in epoch [12]; lower the learning rate of the experts$/,
    );
    expect(engine.liveTensors()).toBe(live);
  });
});

describe("an expert", () => {
  test("is read once, and its tensors are the scope's", () => {
    const preparation = experts(optionsOf(), { first: 0, last: 2, final: true });
    const asked: number[] = [];
    const source: Source = {
      ...toy,
      prepared(wanted, index) {
        asked.push(index);
        return made(wanted, toy, index);
      },
    };
    const live = engine.liveTensors();
    for (const index of [1, 0, 1])
      engine.scope(() => {
        const expert = expertOf(source, preparation, index);
        expect(expert.network).toBe(toy.network);
        const arrays = made(preparation, toy, index);
        expect(numbers(expert.snapshot(2))).toEqual(snapshotIn(arrays, 2));
        expect(numbers(expert.final())).toEqual(snapshotIn(arrays, 5));
      });
    expect(asked).toEqual([1, 0]);
    expect(engine.liveTensors()).toBe(live);
  });

  test("has the parameters that were asked for alone", () => {
    const expert = expertOf(toy, experts(optionsOf(), early), 0);
    expect(() => expert.snapshot(4)).toThrow(
      "expert: expected an array epoch-4/conv1.weight, got loss, epoch-1/conv1.weight,",
    );
    expect(() => expert.final()).toThrow(InputError);
  });
});

describe("classifier experts", () => {
  const real = longTail(toyDataset([12, 12, 12]), { imbalance: 6, largest: 12, seed: 3 }).subset;
  const tail = Object.assign(toySource(engine), { real, classes: classIndices(real) });
  const stages = { first: 0, last: 1, final: true };
  const of = experts(optionsOf({ sharpness: {}, weightDecay: 5e-3 }), stages);
  const classifiers = (given: object = {}, needed: Snapshots = stages): Preparation =>
    classifierExperts(classifierExpertOptions.parse({ batchSize: 7, epochs: 3, ...given }), of, needed);

  test("begin where the expert of the same number ended, and leave its backbone as it is", () => {
    const preparation = classifiers();
    const live = engine.liveTensors();
    for (const index of [1, 0])
      engine.scope(() => {
        const [expert, classifier] = [expertOf(tail, of, index), expertOf(tail, preparation, index)];
        const trained = expert.final();
        expect(classifier.network.parameters.map(({ name }) => name)).toEqual([
          "linear.weight",
          "linear.bias",
        ]);
        expect(numbers(classifier.snapshot(0))).toEqual(numbers(trained.slice(-2)));
        expect(numbers(classifier.final())).not.toEqual(numbers(trained.slice(-2)));
        const { images } = datasetData(real, engine).batch(Int32Array.of(0, 13, 17));
        const whole = [...trained.slice(0, -2), ...classifier.final()];
        expect(numbers([classifier.network.logits(classifier.final(), images)])).toEqual(
          numbers([expert.network.logits(whole, images)]),
        );
        expect(numbers([classifier.network.embed(classifier.final(), images)])).toEqual(
          numbers([expert.network.embed(trained, images)]),
        );
      });
    expect(engine.liveTensors()).toBe(live);
    expect(preparation.parts).toBe(of.parts);
  });

  test("are what GSAM makes of the classifier on balanced mini-batches", () => {
    const arrays = finished(classifiers({ augmentation: "none" }).part(tail, 1, seeded(7)));
    const trained = expertOf(tail, of, 1).final();
    const network = frozenBackbone(tail.network, trained.slice(0, -2));
    let theta: readonly Tensor[] = trained.slice(-2);
    const dice = seeded(7).stream("training").stream("epoch/0");
    const order = balancedOrder(tail.classes, 4)(dice.stream("order"));
    const counts = tail.classes.map((positions) => order.filter((one) => positions.includes(one)).length);
    expect(counts).toEqual([12, 12, 12]);
    for (let begin = 0; begin < 36; begin += 7) {
      const batch = datasetData(real, engine).batch(order.subarray(begin, begin + 7)) as Batch;
      const { gradients } = sharpnessGradient(network, theta, batch, {
        rho: 0.01,
        alpha: 0.3,
        adaptive: true,
      });
      theta = theta.map((value, i) => value.sub(gradients[i]!.mul(0.01)));
    }
    expect(numbers(theta)).toEqual(
      ["weight", "bias"].map((name) => Array.from(arrays[`epoch-1/linear.${name}`]!.data as Float64Array)),
    );
  });

  test("left after an epoch go on to the same bits", () => {
    const preparation = classifiers({ momentum: 0.5 });
    const whole = finished(preparation.part(tail, 0, seeded(7)));
    const live = engine.liveTensors();
    let bytes = new Uint8Array();
    for (const { state } of preparation.part(tail, 0, seeded(7))) {
      bytes = Uint8Array.from(encodeTree(state!));
      break;
    }
    const { tree } = decodeTree(bytes, engine);
    expect(finished(preparation.part(tail, 0, seeded(7), tree))).toEqual(whole);
    expect(engine.liveTensors()).toBe(live);
  });

  test("need experts that keep what they end with, and say what they take on disk", () => {
    expect(classifiers().needs).toEqual([of]);
    expect(() =>
      classifierExperts(classifierExpertOptions.parse({}), experts(optionsOf(), early), stages),
    ).toThrow(
      "expected some whose parameters after the last epoch are kept, got others; keep them by `final`",
    );
    expect(() => classifiers({}, { ...stages, last: 4 })).toThrow("objective.classifierExperts.epochs");
    const elements = tail.network.width * 3 + 3;
    expect(classifiers().bytes!(tail)).toBe(3 * 4 * elements);
  });
});

test("an expert towards flat minima is another, and comes from the same start", () => {
  const stages = { first: 0, last: 2, final: false };
  const [plain, flat, same] = [{}, { sharpness: {} }, { sharpness: { rho: 1e-9 } }].map((given) =>
    made(experts(optionsOf(given), stages)),
  );
  expect(snapshotIn(flat!, 0)).toEqual(snapshotIn(plain!, 0));
  expect(snapshotIn(flat!, 2)).not.toEqual(snapshotIn(plain!, 2));
  snapshotIn(same!, 2).forEach((values, i) => expectClose(values, snapshotIn(plain!, 2)[i]!, 1e-7));
});

test("more epochs than an expert has are an error", () => {
  expect(() => experts(optionsOf(), { first: 0, last: 6, final: false })).toThrow(
    "objective.experts.epochs: expected at least 6, the last epoch whose parameters the run reads, got 5; " +
      "train longer, or match earlier epochs",
  );
  expect(() => experts(optionsOf(), { first: 2, last: 1, final: false })).toThrow(InputError);
  expect(() => optionsOf({ augmentation: "blur" })).toThrow("as in color_crop_flip, or none");
});
