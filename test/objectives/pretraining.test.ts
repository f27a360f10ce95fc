import { afterAll, expect, test } from "@jest/globals";
import { preparedFor } from "../../experiments/preparation.ts";
import { resolveExperiment } from "../../experiments/config.ts";
import { seeded } from "../../src/core/rng.ts";
import type { Tensor } from "../../src/engines/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { accuracy, testSet } from "../../src/evaluation/accuracy.ts";
import type { NamedArrays } from "../../src/formats/array.ts";
import { decodeTree, encodeTree } from "../../src/formats/tree.ts";
import { convNet } from "../../src/networks/index.ts";
import type { Preparation, Source } from "../../src/objectives/objective.ts";
import {
  pretrainedModel,
  pretraining,
  type PretrainingOptions,
  pretrainingOptions,
} from "../../src/objectives/pretraining.ts";
import { freshModel } from "../../src/training/model.ts";
import { finished, train } from "../../src/training/train.ts";
import { datasetData } from "../../src/training/trainingData.ts";
import { toySource } from "../support/toy.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

const small = { models: 2, epochs: 4, batchSize: 7, learningRate: 0.05 } as const;
const optionsOf = (given: object = {}): PretrainingOptions =>
  pretrainingOptions.parse({ ...small, ...given });
const batchNormed = toySource(engine, { network: { norm: "batch" } });
const numbers = (tensors: readonly Tensor[]): number[][] =>
  tensors.map((tensor) => Array.from(tensor.values()));

function made(preparation: Preparation, source: Source, index = 0): NamedArrays {
  return finished(preparation.part(source, index, seeded(index)));
}

/** A source whose parts are made when they are asked for, and how often that was. */
function prepared(source: Source): { readonly source: Source; readonly asked: number[] } {
  const asked: number[] = [];
  return {
    asked,
    source: {
      ...source,
      prepared(preparation, part) {
        asked.push(part);
        return made(preparation, source, part);
      },
    },
  };
}

test.each([
  ["instance norm", toySource(engine)],
  ["batch norm", batchNormed],
])("a part is a network from its start to its last epoch, with %s", (_name, source) => {
  const options = optionsOf();
  const arrays = made(pretraining(options), source);
  const start = freshModel(source.network, engine, seeded(0).stream("network"));
  const model = finished(
    train(
      start,
      datasetData(source.real, engine),
      { ...options, augmentation: [] },
      seeded(0).stream("training"),
    ),
  );
  const flat = (kind: string): number[][] =>
    Object.entries(arrays)
      .filter(([name]) => name.startsWith(`${kind}/`))
      .map(([, { data }]) => Array.from(data as Float64Array));
  expect(flat("initial")).toEqual(numbers(start.parameters));
  expect(flat("trained")).toEqual(numbers(model.parameters));
  expect(flat("statistics")).toEqual(numbers(model.statistics));
  const judged = accuracy(model, testSet(source.real, engine)).accuracy;
  expect(arrays.accuracy!.data[0]).toBeCloseTo(judged, 12);
  expect(judged).toBeGreaterThan(0.4);
});

test("says after each epoch what share is done, and leaves no tensor behind, also when it is given up", () => {
  const preparation = pretraining(optionsOf());
  const live = engine.liveTensors();
  const shares = [...preparation.part(batchNormed, 0, seeded(0))].map(({ share }) => share);
  expect(shares).toEqual([0.25, 0.5, 0.75, 1]);
  expect(engine.liveTensors()).toBe(live);
  for (const { share } of preparation.part(batchNormed, 0, seeded(0))) if (share === 0.5) break;
  expect(engine.liveTensors()).toBe(live);
});

test.each([1, 2, 4])(
  "left after %i of 4 epochs, it goes on to the same bits and frees what it went on from",
  (epochs) => {
    const drops = { afterEpochs: [1, 2], factor: 0.5, keepsMomentum: true };
    const mixed = { augmentation: "color+crop", cutMix: { probability: 0.5 }, drops };
    const preparation = pretraining(optionsOf(mixed));
    const whole = made(preparation, batchNormed);
    const live = engine.liveTensors();
    let kept = new Uint8Array();
    for (const { share, state } of preparation.part(batchNormed, 0, seeded(0))) {
      if (share !== epochs / 4) continue;
      kept = Uint8Array.from(encodeTree(state!));
      break;
    }
    const rest = preparation.part(batchNormed, 0, seeded(0), decodeTree(kept, engine).tree);
    const shares: number[] = [];
    let next = rest.next();
    for (; !next.done; next = rest.next()) shares.push(next.value.share);
    expect(shares).toEqual([0.25, 0.5, 0.75, 1].slice(epochs));
    expect(next.value).toEqual(whole);
    expect(engine.liveTensors()).toBe(live);
  },
);

test("says what a part takes, but for the accuracy", () => {
  const preparation = pretraining(optionsOf({ epochs: 1 }));
  const elements = Object.values(made(preparation, batchNormed)).reduce(
    (sum, { data }) => sum + data.length,
    0,
  );
  expect(preparation.bytes!(batchNormed)).toBe(4 * (elements - 1)); // of single-precision values
});

test("augmentation and mixing reach the training", () => {
  const plain = made(pretraining(optionsOf()), batchNormed);
  for (const change of [{ augmentation: "color+crop" }, { cutMix: { probability: 1 } }])
    expect(made(pretraining(optionsOf(change)), batchNormed)).not.toEqual(plain);
});

test("a network of the preparation comes with its tensors, which a scope frees, and its part is read once", () => {
  const preparation = pretraining(optionsOf());
  const { source, asked } = prepared(batchNormed);
  const live = engine.liveTensors();
  for (const index of [1, 0, 1, 1, 0]) {
    engine.scope(() => {
      const model = pretrainedModel(source, preparation, index);
      expect(model.network).toBe(source.network);
      const arrays = made(preparation, batchNormed, index);
      expect(numbers(model.initial)[0]).toEqual(
        Array.from(arrays["initial/conv1.weight"]!.data as Float64Array),
      );
      expect(numbers(model.trained)[0]).toEqual(
        Array.from(arrays["trained/conv1.weight"]!.data as Float64Array),
      );
      expect(model.statistics).toHaveLength(2);
      expect(model.trained).toBe(model.trained);
      expect(model.accuracy).toBe(arrays.accuracy!.data[0]);
    });
  }
  expect(asked).toEqual([1, 0]);
  expect(engine.liveTensors()).toBe(live);
});

test("an architecture of its own takes the images and classes of the run", () => {
  const preparation = pretraining(optionsOf({ network: { name: "convNet", depth: 2, width: 3 }, epochs: 1 }));
  const { source } = prepared(toySource(engine));
  const { network, trained } = pretrainedModel(source, preparation, 0);
  expect(network.name).toBe(convNet({ depth: 2, width: 3 }, { imageShape: [8, 8, 3], classes: 3 }).name);
  expect(trained.map(({ shape }) => shape)).toEqual(network.parameters.map(({ shape }) => shape));
});

test("runs with equal options share a folder, and no others", () => {
  const config = {
    data: { name: "procedural" },
    network: { width: 8 },
    objective: "dm",
    steps: 1,
    seeds: [0],
  };
  const folder = (given: object = {}, change: object = {}): string =>
    preparedFor("", resolveExperiment("tiny", { ...config, ...change }), pretraining(optionsOf(given))).path;
  expect(folder()).toMatch(/^pretrained-[0-9a-f]{10}$/);
  // Stated or not, it is the architecture that counts.
  expect(folder({ network: { name: "convNet", width: 8 } })).toBe(folder());
  expect(folder({ network: { name: "convNet", width: 9 } })).not.toBe(folder());
  expect(folder({ network: "resNet18" }, { network: { width: 4 } })).toBe(folder({ network: "resNet18" }));
  expect(folder({}, { objective: "csdm", seeds: [1] })).toBe(folder());
  // Each is the same among few or many.
  expect(folder({ models: 3 })).toBe(folder());
  for (const change of [{ epochs: 5 }, { augmentation: "flip" }, { weightDecay: 0 }])
    expect(folder(change)).not.toBe(folder());
});

test("what is wrong with options or with a file is said", () => {
  expect(() => optionsOf({ augmentation: "blur" })).toThrow("as in color_crop_flip, or none");
  expect(() => optionsOf({ momentum: 1 })).toThrow();
  const preparation = pretraining(optionsOf({ epochs: 1 }));
  const from = (arrays: NamedArrays): Source => ({ ...toySource(engine), prepared: () => arrays });
  const arrays = made(preparation, batchNormed);
  const { "trained/linear.bias": bias, ...rest } = arrays;
  expect(() => pretrainedModel(from(rest), preparation, 0).trained).toThrow(
    "pretrained network: expected an array trained/linear.bias, got initial/conv1.weight",
  );
  const other = { ...rest, "trained/linear.bias": { ...bias!, shape: [1, 3] } };
  expect(() => pretrainedModel(from(other), preparation, 0).trained).toThrow(
    "expected trained/linear.bias of shape 3, got 1×3",
  );
});
