import { expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { sizeOf } from "../../src/core/shape.ts";
import type { Engine, Tensor } from "../../src/engines/index.ts";
import { batchDifficulty, type LabeledImages } from "../../src/evaluation/batchDifficulty.ts";
import { convNet, type ConvNetOptions } from "../../src/networks/index.ts";
import { freshModel, type Model } from "../../src/training/model.ts";
import { lossGradient } from "../../src/training/parameterGradient.ts";
import { tolerance } from "../support/close.ts";
import { describeEngines, engines, exactEngine } from "../support/engines.ts";

const candidates = await engines();
const classes = 3;
const imageShape = [4, 4, 2] as const;

function modelOn(engine: Engine, options: Partial<ConvNetOptions> = {}): Model {
  const network = convNet({ depth: 1, width: 3, ...options }, { imageShape, classes });
  const { parameters, statistics } = freshModel(network, engine, seeded(4));
  // Not where they start, so that running statistics are told from those of a batch.
  return { network, parameters, statistics: statistics.map((one) => one.mul(0.7).add(0.2)) };
}

/** Not class after class, and not as many of each. */
const labels = Int32Array.of(2, 0, 2, 0, 1, 2, 2);

function imagesOn(engine: Engine, name = "images"): Tensor {
  const shape = [labels.length, ...imageShape];
  return engine.tensor(
    shape,
    seeded(5)
      .stream(name)
      .fillNormal(new Float64Array(sizeOf(shape))),
  );
}

/** Rows of positive numbers that add up to 1. */
function softOn(engine: Engine): Tensor {
  const shape = [labels.length, classes];
  return engine
    .tensor(shape, seeded(6).fillNormal(new Float64Array(sizeOf(shape))))
    .logSoftmax()
    .exp();
}

/** Logits of all images under running statistics, as rows on the host. */
function logitsOf({ network, parameters, statistics }: Model, images: Tensor): number[][] {
  const values = network.logits(parameters, images, { use: "running", statistics }).values();
  return Array.from({ length: labels.length }, (_, i) =>
    Array.from(values.slice(i * classes, (i + 1) * classes)),
  );
}

/** −Σ_c y_c log softmax(z)_c, written out. */
function crossEntropyOf(logits: readonly number[], target: readonly number[]): number {
  const most = Math.max(...logits);
  const logTotal = Math.log(logits.reduce((sum, value) => sum + Math.exp(value - most), 0)) + most;
  return logits.reduce((sum, value, c) => sum - target[c]! * (value - logTotal), 0);
}

const average = (values: readonly number[]): number =>
  values.reduce((sum, one) => sum + one, 0) / values.length;
const membersOf = (label: number): number[] => [...labels.keys()].filter((i) => labels[i] === label);

/** ‖∇_θ‖ of the mean loss on some images, by a central difference in every single parameter. */
function differenceNorm(
  model: Model,
  images: Tensor,
  targets: readonly (readonly number[])[],
  members: readonly number[],
): number {
  const { engine } = images;
  const h = 1e-5;
  let squares = 0;
  model.parameters.forEach((parameter, which) => {
    const values = Float64Array.from(parameter.values());
    values.forEach((value, element) => {
      const lossAt = (by: number): number =>
        engine.scope(() => {
          const moved = Float64Array.from(values);
          moved[element] = value + by;
          const parameters = model.parameters.with(which, engine.tensor(parameter.shape, moved));
          const logits = logitsOf({ ...model, parameters }, images);
          return average(members.map((i) => crossEntropyOf(logits[i]!, targets[i]!)));
        });
      squares += ((lossAt(h) - lossAt(-h)) / (2 * h)) ** 2;
    });
  });
  return Math.sqrt(squares);
}

const exact = exactEngine(candidates);
(exact ? test.each(["instance", "batch"] as const) : test.skip.each(["instance", "batch"] as const))(
  "norms and loss are those of central differences in every parameter, with %s norm, hard and soft labels",
  (norm) => {
    const engine = exact!;
    // A smooth activation: differences must not straddle a kink.
    const model = modelOn(engine, { norm, activation: "swish", width: 2 });
    const images = imagesOn(engine);
    const softLabels = softOn(engine);
    const soft = Array.from({ length: labels.length }, (_, i) =>
      Array.from(softLabels.values().slice(i * classes, (i + 1) * classes)),
    );
    const hard = Array.from(labels, (label) => [0, 1, 2].map((c) => (c === label ? 1 : 0)));
    const cases: [LabeledImages, number[][]][] = [
      [{ images, labels }, hard],
      [{ images, labels, softLabels }, soft],
    ];
    for (const [set, targets] of cases) {
      const found = batchDifficulty(model, set);
      const all = [...labels.keys()];
      expect(found.difficulty).toBeCloseTo(differenceNorm(model, images, targets, all), 8);
      const perClass = [0, 1, 2].map((c) => differenceNorm(model, images, targets, membersOf(c)));
      expect(found.difficultyPerClass).toBeCloseTo(average(perClass), 8);
      const logits = logitsOf(model, images);
      const losses = logits.map((row, i) => crossEntropyOf(row, targets[i]!));
      expect(found.syntheticLoss).toBeCloseTo(average(losses), 12);
      const wrong = logits.filter((row, i) => row.indexOf(Math.max(...row)) !== labels[i]);
      expect(wrong.length).toBeGreaterThan(0);
      expect(found.misclassified).toBeCloseTo(wrong.length / labels.length, 12);
    }
  },
);

describeEngines(candidates, (engine) => {
  test("the norm is that of one pass over all images, and at most the share-weighted sum over classes", () => {
    const model = modelOn(engine, { norm: "batch" });
    const images = imagesOn(engine);
    const found = batchDifficulty(model, { images, labels });
    const mode = { use: "running", statistics: model.statistics } as const;
    const { value, gradients } = lossGradient(model.network, model.parameters, { images, labels, mode });
    const squares = gradients.map((part) => part.square().sum().item());
    const bound = 10 * tolerance(engine.dtype, "gradients");
    const whole = Math.sqrt(squares.reduce((sum, one) => sum + one, 0));
    expect(Math.abs(found.difficulty - whole)).toBeLessThan(bound);
    expect(Math.abs(found.syntheticLoss - value.item())).toBeLessThan(bound);
  });

  test("of one class both norms are the same, and of equal classes that disagree the whole is smaller", () => {
    const model = modelOn(engine);
    const images = imagesOn(engine);
    const alike = batchDifficulty(model, { images, labels: labels.map(() => 1) });
    expect(alike.difficultyPerClass).toBeCloseTo(alike.difficulty, 5);
    const mixed = batchDifficulty(model, { images, labels });
    expect(mixed.difficulty).toBeLessThan(mixed.difficultyPerClass);
  });

  test("it leaves no tensor behind and changes no running statistics", () => {
    const model = modelOn(engine, { norm: "batch" });
    const set = { images: imagesOn(engine), labels, softLabels: softOn(engine) };
    const before = model.statistics.map((one) => Array.from(one.values()));
    const tensors = engine.liveTensors();
    batchDifficulty(model, set);
    expect(engine.liveTensors()).toBe(tensors);
    expect(model.statistics.map((one) => Array.from(one.values()))).toEqual(before);
  });

  test("labels that do not fit are told of", () => {
    const model = modelOn(engine);
    const images = imagesOn(engine);
    expect(() => batchDifficulty(model, { images, labels: labels.slice(1) })).toThrow(
      "batchDifficulty: expected a label for each of 1 or more images, got 6 for 7",
    );
    expect(() => batchDifficulty(model, { images, labels: labels.map(() => 3) })).toThrow(
      "crossEntropy: expected labels from 0 to 2, got 3",
    );
  });
});
