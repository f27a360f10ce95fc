import { afterAll, expect, test } from "@jest/globals";
import { structures } from "../../kernels/index.ts";
import { subset } from "../../src/datasets/dataset.ts";
import { selectEngine } from "../../src/engines/index.ts";
import { type FrequencyComparison, frequencyErrors } from "../../src/evaluation/frequencyErrors.ts";
import { convNet } from "../../src/networks/index.ts";
import { toyDataset } from "../support/toy.ts";

const { engine } = await selectEngine("auto", { threads: 1 });
afterAll(() => engine.close());

const train = toyDataset([9, 6, 3]);
const comparison: FrequencyComparison = {
  engine,
  network: convNet({ depth: 1, width: 4 }, { imageShape: [8, 8, 3], classes: 3 }),
  synthetic: subset(train, [0, 1, 9, 10, 15]),
  splits: { train, test: toyDataset([6, 6, 6]) },
  kernels: [
    { name: "gaussian", scale: 1 },
    { name: "laplacian", scale: 1 },
  ],
  counts: [4, 16, 64],
  repeats: 24,
};

test("errors of independent frequencies fall as 1/√M, as their variance says", () => {
  const before = engine.liveTensors();
  const found = frequencyErrors(comparison);
  expect(engine.liveTensors()).toBe(before);
  expect(found.map(({ kernel }) => kernel)).toEqual(["gaussian", "laplacian"]);
  for (const { errors, expected } of found) {
    expect(expected[0]! / expected[2]!).toBeCloseTo(4, 9);
    // Classes share the draws: 24 of them, whose root mean square is known to 1/√48, here within 5 of that.
    errors.forEach((error, i) => expect(Math.abs(error / expected[i]! - 1)).toBeLessThan(5 / Math.sqrt(48)));
  }
});

test("another way to draw takes the place of independent draws", () => {
  const [plain] = frequencyErrors({ ...comparison, kernels: [{ name: "gaussian", scale: 1 }] });
  const [orthogonal] = frequencyErrors({
    ...comparison,
    kernels: [{ name: "gaussian", scale: 1 }],
    draw: (kernel, count, width, rng) => kernel.frequencies(count, width, rng, structures.orthogonal),
  });
  expect(orthogonal!.errors).not.toEqual(plain!.errors);
  expect(orthogonal!.errors[2]!).toBeLessThan(2 * plain!.errors[2]!);
});

test("counts are whole numbers from 1 on", () => {
  expect(() => frequencyErrors({ ...comparison, counts: [0] })).toThrow("frequencyErrors.counts");
});
