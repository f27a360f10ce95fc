import { afterAll, describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import {
  forgetting,
  forgettingCounter,
  forgettingEvents,
  forgettingOptions,
  visit,
} from "../../src/coresets/forgetting.ts";
import { countOf } from "../../src/datasets/dataset.ts";
import { selectEngine, type Tree } from "../../src/engines/index.ts";
import type { NamedArrays } from "../../src/formats/array.ts";
import type { Source } from "../../src/objectives/objective.ts";
import { freshModel } from "../../src/training/model.ts";
import { finished, train } from "../../src/training/train.ts";
import { datasetData } from "../../src/training/trainingData.ts";
import { toySource } from "../support/toy.ts";
import { reference } from "./rows.ts";

const { engine } = await selectEngine("tfjs");
afterAll(() => engine.close());

const options = forgettingOptions.parse({ networks: { epochs: 5, batchSize: 4, learningRate: 0.3 } });

test("reference numbers: events by visit, and ∞ for what was never correct", () => {
  const { acc_per_epoch: visits, forgetting_events: expected } = reference.forgetting;
  const counter = forgettingCounter(visits.length);
  for (let epoch = 0; epoch < visits[0]!.length; epoch++) {
    visits.forEach((correct, sample) => {
      visit(counter, sample, correct[epoch] === 1);
    });
  }
  expect(Array.from(forgettingEvents(counter))).toEqual(expected.map(Number));
});

describe("an observer of a training", () => {
  test("sees every image once in an epoch, by the logits that it had before the step", () => {
    const { real, network } = toySource(engine);
    const data = datasetData(real, engine);
    const start = freshModel(network, engine, seeded(1));
    const seen: number[] = [];
    let first: { positions: Int32Array; logits: number[] } | undefined;
    const observer = (positions: Int32Array, logits: { values(): ArrayLike<number> }): void => {
      first ??= { positions: positions.slice(), logits: Array.from(logits.values()) };
      seen.push(...positions);
    };
    const training = { batchSize: 4, learningRate: 0.1, momentum: 0, weightDecay: 0, augmentation: [] };
    const drops = { afterEpochs: [], factor: 1 };
    finished(train(start, data, { ...training, drops, epochs: 1, observer }, seeded(2)));
    expect([...seen].sort((a, b) => a - b)).toEqual(Array.from(real.labels, (_, i) => i));
    const { images } = data.batch(first!.positions);
    const direct = network.logits(start.parameters, images).values();
    first!.logits.forEach((logit, i) => {
      expect(logit).toBeCloseTo(direct[i]!, 5);
    });
  });
});

describe("counting", () => {
  const [counting] = forgetting(options).preparations!;
  const madeIn = (source: Source, stopAfter = Infinity): { arrays?: NamedArrays; state?: Tree } => {
    const work = counting!.part(source, 0, seeded(3));
    for (let epoch = 1; ; epoch++) {
      const next = work.next();
      if (next.done) return { arrays: next.value };
      if (epoch === stopAfter) return { state: next.value.state };
    }
  };

  test("goes on to the same bits where it was cut off", () => {
    const source = toySource(engine);
    const { arrays } = madeIn(source);
    const { state } = madeIn(source, 2);
    const resumed = finished(counting!.part(source, 0, seeded(3), state));
    expect(resumed).toEqual(arrays);
    expect(Array.from(arrays!["learned"]!.data as Float64Array)).toContain(1);
  });

  test("leaves no tensors behind", () => {
    const source = toySource(engine);
    madeIn(source);
    const before = engine.liveTensors();
    madeIn(source);
    expect(engine.liveTensors()).toBe(before);
  });
});

describe("the coreset", () => {
  const source = toySource(engine);
  const chosen = (mode: "hard" | "easy"): readonly (number | string)[] =>
    forgetting({ ...options, mode }).choose(source, { perClass: 2, scarcity: "error" }, seeded(1)).record![
      "scores"
    ] as (number | string)[];

  test("has the images that are forgotten most, or least, of each class", () => {
    const value = (score: number | string): number => (score === "never learned" ? Infinity : Number(score));
    const [hard, easy] = [chosen("hard"), chosen("easy")].map((scores) => scores.map(value));
    expect(hard).toHaveLength(6);
    hard!.forEach((score, i) => {
      expect(score).toBeGreaterThanOrEqual(easy![i]!);
    });
  });

  test("is of training images: a pool is refused", () => {
    const pooled: Source = { ...source, pool: source.real };
    expect(() => forgetting(options).choose(pooled, { perClass: 1, scarcity: "error" }, seeded(1))).toThrow(
      "initialization.forgetting: expected no pool",
    );
    expect(countOf(source.real)).toBe(18);
  });
});
