import { afterAll, describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { type Dataset, normalized } from "../../src/datasets/dataset.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { pearson, spearman } from "../../src/evaluation/correlation.ts";
import {
  difficultyCorrelations,
  type ImageDifficulty,
  imageDifficulty,
} from "../../src/evaluation/difficulty.ts";
import { convNet } from "../../src/networks/index.ts";
import { freshModel, type Model } from "../../src/training/model.ts";
import { lossGradient } from "../../src/training/parameterGradient.ts";
import { expectClose } from "../support/close.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => {
  engine.close();
});

const n = 7;
const dataset: Dataset = {
  name: "toy",
  classNames: ["a", "b", "c"],
  imageShape: [4, 4, 1],
  pixels: Uint8Array.from({ length: n * 16 }, (_, at) => (at * at * 37) % 253),
  labels: Int32Array.from({ length: n }, (_, i) => i % 3),
  mean: [0.4],
  std: [0.3],
};
const network = convNet({ depth: 1, width: 4 }, { imageShape: [4, 4, 1], classes: 3 });
const models = [0, 1, 2].map((seed): Model => freshModel(network, engine, seeded(seed)));

/** Gradient norm, loss and logits of one image under one model. */
function alone(model: Model, i: number): { norm: number; loss: number; logits: number[] } {
  return engine.scope(() => {
    const images = engine.tensor([1, 4, 4, 1], normalized(dataset, [i]));
    const batch = { images, labels: dataset.labels.slice(i, i + 1) };
    const { value, gradients } = lossGradient(network, model.parameters, batch);
    return {
      norm: Math.sqrt(gradients.reduce((sum, one) => sum + one.square().sum().item(), 0)),
      loss: value.item(),
      logits: Array.from(network.logits(model.parameters, images).values()),
    };
  });
}

describe("difficulty under an ensemble", () => {
  const before = engine.liveTensors();
  const found = imageDifficulty(models, { dataset });
  const each = Array.from({ length: n }, (_, i) => models.map((model) => alone(model, i)));
  const over = (value: (one: ReturnType<typeof alone>, i: number) => number): number[] =>
    each.map((ones, i) => ones.reduce((sum, one) => sum + value(one, i), 0) / ones.length);

  test("is the mean of what each network finds on each image by itself", () => {
    expectClose(
      found.gradn,
      over(({ norm }) => norm),
      1e-12,
    );
    expectClose(
      found.loss,
      over(({ loss }) => loss),
      1e-12,
    );
    const wrong = over(({ logits }, i) =>
      logits.indexOf(Math.max(...logits)) === dataset.labels[i] ? 0 : 1,
    );
    expect(Array.from(found.misclassified)).toEqual(wrong);
    expect(new Set(wrong).size).toBeGreaterThan(1);
    const distance = over(({ logits }, i) => {
      const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
      return Math.hypot(
        ...logits.map((logit, c) => Math.exp(logit) / sum - (c === dataset.labels[i] ? 1 : 0)),
      );
    });
    expectClose(found.el2n, distance, 1e-12);
    expect(engine.liveTensors()).toBe(before);
  });

  test("takes soft labels for gradient and loss", () => {
    const softLabels = Float32Array.from({ length: 3 * n }, (_, at) => (at % 3 === 0 ? 0.5 : 0.25));
    const soft = imageDifficulty(models, { dataset, softLabels });
    const logits = alone(models[0]!, 1).logits;
    const normalizer = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
    const one = imageDifficulty(models.slice(0, 1), { dataset, softLabels });
    expect(one.loss[1]).toBeCloseTo(
      normalizer - (0.5 * logits[0]! + 0.25 * logits[1]! + 0.25 * logits[2]!),
      12,
    );
    expect(soft.misclassified).toEqual(found.misclassified);
  });

  test("needs a model, and images and classes that are its own", () => {
    expect(() => imageDifficulty([], { dataset })).toThrow("expected at least one model, got none");
    const other = { ...dataset, classNames: ["a", "b", "c", "d"] };
    expect(() => imageDifficulty(models, { dataset: other })).toThrow(
      "expected images of 4×4×1 in 3 classes, as the network takes them, got 4×4×1 in 4",
    );
  });
});

test("correlations are those of the measures, over all images or some", () => {
  const difficulty: ImageDifficulty = {
    gradn: Float64Array.of(3, 1, 4, 1.5, 5),
    misclassified: Float64Array.of(0.5, 0, 1, 0.5, 0.5),
    loss: Float64Array.of(2, 1, 7, 1, 8),
    el2n: Float64Array.of(0.2, 0.1, 0.9, 0.3, 0.8),
  };
  const { gradn, misclassified, loss, el2n } = difficulty;
  const all = difficultyCorrelations(difficulty);
  expect(all).toMatchObject({
    images: 5,
    gradnMisclassified: { pearson: pearson(gradn, misclassified), spearman: spearman(gradn, misclassified) },
    gradnLoss: { pearson: pearson(gradn, loss), spearman: spearman(gradn, loss) },
    misclassifiedLoss: { pearson: pearson(misclassified, loss), spearman: spearman(misclassified, loss) },
    gradnEl2n: { pearson: pearson(gradn, el2n), spearman: spearman(gradn, el2n) },
  });
  expect(difficultyCorrelations(difficulty, [0, 4]).gradnMisclassified.pearson).toBeNaN();
  expect(difficultyCorrelations(difficulty, [0, 1, 2]).gradnLoss.pearson).toBe(pearson([3, 1, 4], [2, 1, 7]));
});
