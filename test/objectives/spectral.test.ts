import { afterAll, describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { initialImages } from "../../src/distillers/initialize.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { csdm, csdmOptions } from "../../src/objectives/csdm.ts";
import { mmd, mmdOptions } from "../../src/objectives/mmd.ts";
import { descent, type Learned, type Objective } from "../../src/objectives/objective.ts";
import { toySource } from "../support/toy.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

const source = toySource(engine, { counts: [60, 20, 6] });
const learned: Learned = {
  images: initialImages(source, { initialization: "noise", scarcity: "error" }, seeded(1)),
};
const at = (objective: Objective) => objective.draw(source, seeded(2), { step: 0, state: null });
const lossOf = (objective: Objective): number => objective.loss(learned, at(objective)).item();
const csdmWith = (given: object): Objective => csdm(csdmOptions.parse(given)) as Objective;
const mmdWith = (given: object): Objective => mmd(mmdOptions.parse(given)) as Objective;

const half = { weighting: { name: "fixed", alpha: 0.5 }, lossScale: "none" };

describe("the unbiased estimator", () => {
  test("estimates the unbiased discrepancy, at half of it", () => {
    const frequencies = 40_000;
    const exact = lossOf(mmdWith({ statistic: "unbiased", realBlock: true, lossScale: "none" }));
    const biased = lossOf(mmdWith({ realBlock: true, lossScale: "none" }));
    const estimate = 2 * lossOf(csdmWith({ ...half, estimator: "unbiased", frequencies }));
    // |P − Q|² is at most 4, so that its variance is at most 4 MMD²; freeing it of noise doubles the weight of |Q|², of two.
    const standardError = 2 * Math.sqrt((4 * source.classes.length * biased) / frequencies);
    expect(Math.abs(estimate - exact)).toBeLessThan(4 * standardError);
    expect(Math.abs(biased - exact)).toBeGreaterThan(10 * standardError);
  });

  test("has the same loss whether or not weights are written as fixed, where classes are equal", () => {
    const balanced = toySource(engine, { counts: [9, 9, 9] });
    const loss = (weighting: object | string): number => {
      const objective = csdmWith({ estimator: "unbiased", frequencies: 16, weighting });
      return objective.loss(learned, objective.draw(balanced, seeded(2), { step: 0, state: null })).item();
    };
    expect(loss("logarithmic")).toBeCloseTo(loss({ name: "fixed", alpha: 0.5 }), 12);
  });

  test("is refused where amplitudes and phases are weighed, and for roots", () => {
    const weighed = csdmWith({
      estimator: "unbiased",
      frequencies: 4,
      weighting: { name: "fixed", alpha: 0.7 },
    });
    expect(() => lossOf(weighed)).toThrow(
      "estimator: unbiased takes amplitudes and phases together, at α = ½ of every class, got α = 0.7; " +
        "set weighting to { name: fixed, alpha: 0.5 }",
    );
    expect(() => csdmWith({ estimator: "unbiased", distance: "root" })).toThrow(
      "estimator: expected biased for the root of a distance",
    );
  });
});

describe("structured frequencies", () => {
  test.each(["orthogonal", "hadamard", "circulant"])("%s ones estimate the discrepancy", (structure) => {
    const frequencies = 40_000;
    const exact = lossOf(mmdWith({ kernel: "matern32", realBlock: true, lossScale: "none" }));
    const estimate = 2 * lossOf(csdmWith({ ...half, kernel: "matern32", structure, frequencies }));
    const bound = 2 * Math.sqrt((source.classes.length * exact) / frequencies);
    expect(Math.abs(estimate - exact)).toBeLessThan(4 * bound);
  });

  test.each(["orthogonal", "hadamard", "circulant"])("%s ones have a finite gradient", (structure) => {
    const objective = csdmWith({ structure, frequencies: 64 });
    const { gradients } = descent(objective, learned, at(objective));
    expect(gradients.images!.square().sum().item()).toBeGreaterThan(0);
  });

  test("are refused under a product over coordinates before the first step", () => {
    expect(() => csdmWith({ kernel: "laplacian", structure: "orthogonal" })).toThrow(
      "structure: expected independent for products over coordinates, got orthogonal with the kernel laplacian(1); " +
        "radial kernels take it, such as matern12 for laplacian",
    );
    const mixed = { name: "sum", kernels: [{ kernel: "gaussian" }, { kernel: "cauchyProduct" }] };
    expect(() => csdmWith({ kernel: mixed, structure: "hadamard" })).toThrow(
      "structure: expected independent",
    );
  });
});
