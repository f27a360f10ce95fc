import { afterAll, expect, test } from "@jest/globals";
import type { Tensor } from "../../src/engines/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { crossEntropy } from "../../src/losses/crossEntropy.ts";
import { centralDifferences, sineTensor } from "./cases.ts";

const engine = torchEngine({ dtype: "float64" });
afterAll(() => engine.close());

const logits = sineTensor(engine, [3, 4], [0.9, 0.2, 2, 0]);
const soft = engine.tensor([3, 4], [0.1, 0.2, 0.3, 0.4, 0, 0, 1, 0, 0.25, 0.25, 0.25, 0.25]);

test("by hand: equal logits cost ln k, whatever the label", () => {
  expect(crossEntropy(engine.fill([2, 4], 3), Int32Array.of(1, 3)).item()).toBeCloseTo(Math.log(4), 14);
  // −ln(e/(e + 1)) and −ln(1/(e + 1)), averaged: ln(e + 1) − ½
  const two = crossEntropy(engine.tensor([2, 2], [1, 0, 1, 0]), Int32Array.of(0, 1));
  expect(two.item()).toBeCloseTo(Math.log(Math.E + 1) - 0.5, 14);
});

test("hard labels cost what soft labels of probability 1 cost", () => {
  const labels = Int32Array.of(2, 0, 3);
  const rows = engine.tensor([3, 4], [0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1]);
  expect(crossEntropy(logits, labels).item()).toBe(crossEntropy(logits, rows).item());
});

test("the gradient in the logits is (softmax − label)/n", () => {
  const { gradients } = engine.gradients((at) => crossEntropy(at, soft), [logits]);
  const expected = logits.logSoftmax().exp().sub(soft).div(3);
  expect(gradients[0]!.sub(expected).abs().max().item()).toBeLessThan(1e-15);
});

test("second derivatives in logits and soft labels agree with central differences", () => {
  const weights = sineTensor(engine, [3, 4], [1.7, 0.5, 1, 0]);
  const slope = (at: Tensor, labels: Tensor): Tensor =>
    engine
      .gradients((inner) => crossEntropy(inner, labels), [at])
      .gradients[0]!.mul(weights)
      .sum();
  const { gradients } = engine.gradients(slope, [logits, soft]);
  const byLogits = centralDifferences((v) => slope(engine.tensor([3, 4], v), soft).item(), logits.values());
  const byLabels = centralDifferences((v) => slope(logits, engine.tensor([3, 4], v)).item(), soft.values());
  [byLogits, byLabels].forEach((numeric, which) =>
    numeric.forEach((value, i) => expect(gradients[which]!.values()[i]).toBeCloseTo(value, 8)),
  );
});

test("large logits neither overflow nor lose the loss", () => {
  expect(crossEntropy(engine.tensor([1, 2], [1e4, 0]), Int32Array.of(1)).item()).toBe(1e4);
});

test("labels are one for each row and within the classes", () => {
  expect(() => crossEntropy(logits, Int32Array.of(0, 1))).toThrow(
    "expected 3 labels, one for each row, got 2",
  );
  expect(() => crossEntropy(logits, Int32Array.of(0, 1, 4))).toThrow("expected labels from 0 to 3, got 4");
  expect(() => crossEntropy(logits, Int32Array.of(0, -1, 2))).toThrow("expected labels from 0 to 3, got -1");
  expect(() => crossEntropy(logits, engine.fill([3, 5], 0.2))).toThrow("k is both 4 and 5");
});
