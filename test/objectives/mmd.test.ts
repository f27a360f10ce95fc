import { afterAll, describe, expect, test } from "@jest/globals";
import { kernelOf, type KernelInput, type StationaryKernelInput } from "../../kernels/index.ts";
import { seeded } from "../../src/core/rng.ts";
import { normalized } from "../../src/datasets/dataset.ts";
import { initialImages } from "../../src/distillers/initialize.ts";
import type { Tensor } from "../../src/engines/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { kernelDiscrepancy, unbiasedKernelDiscrepancy } from "../../src/losses/kernelDiscrepancy.ts";
import { initialTensors } from "../../src/networks/network.ts";
import { csdm, csdmOptions } from "../../src/objectives/csdm.ts";
import { dm, dmOptions } from "../../src/objectives/dm.ts";
import { mmd, mmdOptions } from "../../src/objectives/mmd.ts";
import { descent, type Learned, type Objective, type Source } from "../../src/objectives/objective.ts";
import { toySource } from "../support/toy.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

/** Classes of different size, one of a single image; their features come in several chunks. */
const whole = toySource(engine, { counts: [60, 20, 6, 1] });
const source: Source = { ...whole, network: { ...whole.network, largest: 2 ** 26 / 16 } };
const learned: Learned = {
  images: initialImages(source, { initialization: "noise", scarcity: "error" }, seeded(1)),
};
const SEED = 2;
const at = (objective: Objective) => objective.draw(source, seeded(SEED), { step: 0, state: null });
const lossOf = (objective: Objective): number => objective.loss(learned, at(objective)).item();
const gradientOf = (objective: Objective): Tensor =>
  descent(objective, learned, at(objective)).gradients.images!;
const mmdWith = (given: object): Objective => mmd(mmdOptions.parse(given)) as Objective;
const dmLoss = lossOf(dm(dmOptions.parse({})) as Objective);
const dmGradient = gradientOf(dm(dmOptions.parse({})) as Objective);

describe("under the linear kernel", () => {
  test("is DM, with the real block to the last digits", () => {
    expect(lossOf(mmdWith({ kernel: "linear", realBlock: true })) / dmLoss).toBeCloseTo(1, 12);
  });

  test("has DM's gradient without the real block too", () => {
    for (const realBlock of [true, false]) {
      const apart = gradientOf(mmdWith({ kernel: "linear", realBlock })).sub(dmGradient);
      expect(apart.abs().max().item()).toBeLessThan(1e-14);
    }
  });
});

test.each<KernelInput>([
  "gaussian",
  "matern52",
  "cauchy",
  { name: "multiScale" },
  { name: "polynomial", degree: 3 },
  { name: "product", kernels: ["gaussian", "matern32"] },
])("at large bandwidth is DM under %j", (kernel) => {
  const wide = mmdWith({ kernel, bandwidth: { factor: 1e4 }, realBlock: true });
  expect(lossOf(wide) / dmLoss).toBeCloseTo(1, 3);
  const apart = gradientOf(wide).sub(dmGradient).abs().max().item();
  expect(apart / dmGradient.abs().max().item()).toBeLessThan(1e-3);
});

describe.each(["biased", "unbiased"] as const)("the %s statistic", (statistic) => {
  const theta = initialTensors(source.network.parameters, engine, seeded(SEED).stream("network"));
  const loss = statistic === "biased" ? kernelDiscrepancy : unbiasedKernelDiscrepancy;

  /** The loss class by class, with given lengths. */
  function classByClass(gram: (x: Tensor, y: Tensor) => Tensor): number {
    const losses = source.classes.map((members, label) => {
      const real = engine.tensor([members.length, 8, 8, 3], normalized(source.real, members));
      const synthetic = learned.images.slice([2 * label, 0, 0, 0], [2, 8, 8, 3]);
      const embed = (batch: Tensor): Tensor => source.network.embed(theta, batch);
      return loss(embed(real), embed(synthetic), gram, { realBlock: false }).item();
    });
    return losses.reduce((sum, one) => sum + one);
  }

  test.each<StationaryKernelInput>([
    "gaussian",
    {
      name: "sum",
      kernels: [{ kernel: { name: "laplacian", scale: 2 } }, { weight: 3, kernel: "matern32" }],
    },
  ])("is that of each class, in the measured lengths: %j", (kernel) => {
    const options = mmdOptions.parse({ kernel, statistic, lossScale: "none" });
    const objective = mmd(options) as Objective;
    const { bandwidth, bandwidthL1 = NaN } = at(objective).metrics!;
    const { gram } = kernelOf(options.kernel, { l2: bandwidth!, l1: bandwidthL1 });
    expect(lossOf(objective)).toBeCloseTo(classByClass(gram), 12);
  });
});

test("the unbiased statistic takes two synthetic images of each class", () => {
  const single = { ...source, imagesPerClass: 1, labels: Int32Array.of(0, 1, 2, 3) };
  const images = learned.images.slice([0, 0, 0, 0], [4, 8, 8, 3]);
  const objective = mmdWith({ statistic: "unbiased" });
  const draw = objective.draw(single, seeded(SEED), { step: 0, state: null });
  expect(() => objective.loss({ images }, draw)).toThrow(
    "mmd.statistic: unbiased takes at least 2 synthetic images of each class; choose biased",
  );
});

test("unit features have the discrepancy of directions", () => {
  const given = { features: "unit", bandwidth: { rule: "fixed" }, lossScale: "none", realBlock: true };
  const unit = lossOf(mmdWith(given));
  // No MMD² of a kernel of at most 1 exceeds 2; four classes.
  expect(unit).toBeGreaterThan(0);
  expect(unit).toBeLessThan(8);
  expect(unit).not.toBeCloseTo(lossOf(mmdWith({ ...given, features: "raw" })), 3);
});

describe("what CSDM estimates at α = ½ is MMD", () => {
  const frequencies = 40_000;
  const options = { lossScale: "none", weighting: { name: "fixed", alpha: 0.5 }, frequencies };

  test.each<StationaryKernelInput>([
    "gaussian",
    { name: "laplacian", scale: 2 },
    "matern12",
    "matern32",
    "matern52",
    { name: "matern", smoothness: 1 },
    { name: "rationalQuadratic", shape: 0.75 },
    "cauchy",
    "cauchyProduct",
    "inverseMultiquadric",
    "multiScale",
    { name: "sum", kernels: [{ kernel: "laplacian" }, { kernel: "gaussian" }] },
    { name: "product", kernels: ["laplacian", "gaussian"] },
  ])("under %j", (kernel) => {
    const exact = lossOf(mmdWith({ kernel, lossScale: "none", realBlock: true }));
    const estimate = 2 * lossOf(csdm(csdmOptions.parse({ ...options, kernel })) as Objective);
    // A class's |P − Q|² is at most 4 and has mean MMD², hence a variance of at most 4 MMD²; classes share frequencies.
    // Cauchy-Schwarz over the classes then bounds the standard error of their sum.
    const standardError = 2 * Math.sqrt((source.classes.length * exact) / frequencies);
    expect(Math.abs(estimate - exact)).toBeLessThan(4 * standardError);
    expect(standardError).toBeLessThan(0.05 * exact);
  });
});
