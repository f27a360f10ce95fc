import { describe, expect, test } from "@jest/globals";
import {
  classSteps,
  classSubset,
  datasets,
  decodedValues,
  distillationOf,
  evaluationOf,
  type Memory,
  selectEngine,
  type StoredSet,
  unionOf,
} from "../../src/index.ts";

/** Images of 1×2 gray pixels, both the same number. */
function memory(
  labels: readonly number[],
  ofClasses: readonly number[],
  values: readonly number[],
  more: Partial<StoredSet> = {},
): Memory {
  const set: StoredSet = {
    images: Float32Array.from(values.flatMap((value) => [value, value])),
    imageShape: [1, 2, 1],
    labels: Int32Array.from(ofClasses),
    mean: [0.5],
    std: [0.25],
    others: {},
    ...more,
  };
  return { set, labels };
}

const first = memory([4, 1], [0, 0, 1, 1], [40, 41, 10, 11]);
const second = memory([0, 3], [0, 1, 1], [1, 30, 31]);

test("labels are mapped back, and images stand class after class", () => {
  const union = unionOf([first, second], 6);
  expect([...union.labels]).toEqual([0, 1, 1, 3, 3, 4, 4]);
  expect([...union.images].filter((_, i) => i % 2 === 0)).toEqual([1, 10, 11, 30, 31, 40, 41]);
  expect([union.mean, union.std, union.imageShape]).toEqual([[0.5], [0.25], [1, 2, 1]]);
  expect([union.softLabels, union.learningRate]).toEqual([undefined, undefined]);
});

test("the order in which memories come changes nothing", () => {
  expect(unionOf([second, first], 6)).toEqual(unionOf([first, second], 6));
});

test("soft labels get a column for every class, with 0 for classes that their memory does not know", () => {
  const soft = [
    memory([2, 0], [0, 1], [5, 6], { softLabels: Float32Array.of(0.75, 0.25, 0.5, 0.5) }),
    memory([3, 1], [0, 1], [7, 8], { softLabels: Float32Array.of(1, 2, 3, 4) }),
  ];
  const { labels, softLabels } = unionOf(soft, 4);
  expect([...labels]).toEqual([0, 1, 2, 3]);
  expect([...softLabels!]).toEqual([0.5, 0, 0.5, 0, 0, 4, 0, 3, 0.25, 0, 0.75, 0, 0, 2, 0, 1]);
});

test("a learning rate that was learned with each memory is their geometric mean", () => {
  const rates = [0.01, 0.04].map((learningRate, i) => memory([i], [0], [i], { learningRate }));
  expect(unionOf(rates, 2).learningRate).toBeCloseTo(0.02, 12);
  expect(unionOf(rates.slice(1), 2).learningRate).toBe(0.04);
});

test("mosaics are decoded, each cell with the label of its mosaic", () => {
  const partition = { factor: 2, order: "columns" } as const;
  const imageShape = [2, 2, 1] as const;
  const mosaic = Float32Array.of(1, 2, 3, 4);
  const held = memory([2, 0], [0], [], { images: mosaic, imageShape, partition });
  const { images, labels, partition: left } = unionOf([held], 3);
  expect(left).toBeUndefined();
  expect([...labels]).toEqual([2, 2, 2, 2]);
  expect(images).toEqual(decodedValues(mosaic, imageShape, partition));
});

describe("what makes no union", () => {
  const whitening = {
    mean: new Float32Array(2),
    matrix: new Float32Array(4),
    inverse: new Float32Array(4),
  };
  test.each<[string, readonly Memory[], RegExp]>([
    ["nothing", [], /expected at least one memory, got none/],
    ["whitened images", [memory([0], [0], [1], { whitening })], /distil without zca/],
    [
      "other constants",
      [first, memory([2], [0], [1], { mean: [0] })],
      /by mean 0.5 and std 0.25.* and .* mean 0 /,
    ],
    [
      "soft labels beside hard ones",
      [first, memory([2], [0], [1], { softLabels: Float32Array.of(1) })],
      /hard labels, no learning rate and .* soft labels/,
    ],
    ["a label beyond the classes", [memory([6, 1], [0, 1], [1, 2])], /a label below 6 .* got \[6, 1\]/],
    ["a class of the memory without a label", [memory([1], [0, 1], [1, 2])], /got \[1\] for labels up to 1/],
    ["a label twice", [memory([1, 1], [0, 1], [1, 2])], /each once, got \[1, 1\]/],
    [
      "too few columns of soft labels",
      [memory([0, 1], [0, 1], [1, 2], { softLabels: Float32Array.of(1, 1) })],
      /expected soft labels of 2 columns, one for each class of the memory, got 1/,
    ],
  ])("%s", (_, memories, message) => {
    expect(() => unionOf(memories, 6)).toThrow(message);
  });
});

test("in memory, networks learn all classes from what was distilled of some at a time", async () => {
  const { engine } = await selectEngine("tfjs-wasm");
  const { train, test } = datasets.procedural.read({
    classes: 4,
    trainPerClass: 8,
    testPerClass: 5,
    side: 8,
  });
  const network = { name: "convNet", depth: 1, width: 4 } as const;
  const memories = classSteps(4, { steps: 2, seed: 0 }).map((labels) => {
    const options = { engine, network, objective: { name: "dm", realBatch: 4 }, steps: 1 } as const;
    const run = distillationOf(classSubset(train, labels).subset, { ...options, imagesPerClass: 2 });
    return { labels, set: run.finish() };
  });
  const set = { ...memories[0]!.set, ...unionOf(memories, 4), classNames: train.classNames };
  const result = evaluationOf(set, test, { engine, network, protocol: "quick", networks: 1 }).finish();
  expect(result.networks[0]!.perClass).toHaveLength(4);
  expect([...set.labels]).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
  engine.close();
});
