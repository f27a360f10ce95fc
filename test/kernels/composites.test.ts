import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { optionLines } from "../../experiments/commands/options.ts";
import { readExperiment, resolveExperiment } from "../../experiments/config.ts";
import { optionsText, parseOptions } from "../../experiments/leaves.ts";
import { costKind } from "../../experiments/sweep/kind.ts";
import {
  gaussian,
  isStationary,
  kernelOf,
  kernels,
  laplacian,
  linear,
  matern32,
  meanScale,
  polynomial,
  product,
  sum,
  unitsOf,
} from "../../kernels/index.ts";
import { choice } from "../../src/core/options.ts";
import { parsed } from "../../src/core/parse.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { sampleX, sampleY } from "../losses/cases.ts";

const engine = torchEngine({ dtype: "float64" });
afterAll(() => engine.close());

const x = engine.tensor([4, 5], sampleX);
const y = engine.tensor([3, 5], sampleY);
const schema = choice(kernels);
const chosen = (given: Parameters<typeof schema.parse>[0]) => parsed("kernel", schema, given);
const gramOf = (given: object, lengths?: { l2: number; l1: number }): number[] =>
  Array.from(kernelOf(chosen(given), lengths).gram(x, y).values());

describe("a kernel that a config composes", () => {
  test("is the sum, with weights 1 where none are given", () => {
    const direct = sum([
      { weight: 1, kernel: gaussian({ scale: 2 }) },
      { weight: 3, kernel: laplacian({ scale: 1 }) },
    ]);
    const kernels = [{ kernel: { name: "gaussian", scale: 2 } }, { weight: 3, kernel: "laplacian" }];
    expect(gramOf({ name: "sum", kernels })).toEqual(Array.from(direct.gram(x, y).values()));
  });

  test("is the product", () => {
    const direct = product([gaussian({ scale: 2 }), matern32({ scale: 3 })]);
    const kernels = [
      { name: "gaussian", scale: 2 },
      { name: "matern32", scale: 3 },
    ];
    expect(gramOf({ name: "product", kernels })).toEqual(Array.from(direct.gram(x, y).values()));
  });

  test("is the mean over scales; by default of a Gaussian one at ¼ to 4", () => {
    const direct = sum(
      [0.25, 0.5, 1, 2, 4].map((factor) => ({ weight: 1, kernel: gaussian({ scale: factor }) })),
    );
    expect(gramOf({ name: "multiScale" })).toEqual(Array.from(direct.gram(x, y).values()));
    expect(kernelOf(chosen("multiScale")).name).toBe(direct.name);
    const two = { name: "multiScale", kernel: { name: "laplacian", scale: 3 }, factors: [1, 2] };
    const both = sum([3, 6].map((scale) => ({ weight: 1, kernel: laplacian({ scale }) })));
    expect(gramOf(two)).toEqual(Array.from(both.gram(x, y).values()));
  });

  test("is composed to any depth", () => {
    const kernel = {
      name: "sum",
      kernels: [
        { kernel: { name: "product", kernels: ["gaussian", { name: "multiScale", factors: [1, 2] }] } },
        { weight: 2, kernel: "linear" },
      ],
    };
    const scales = sum([1, 2].map((scale) => ({ weight: 1, kernel: gaussian({ scale }) })));
    const direct = sum([
      { weight: 1, kernel: product([gaussian({ scale: 1 }), scales]) },
      { weight: 2, kernel: linear() },
    ]);
    expect(gramOf(kernel)).toEqual(Array.from(direct.gram(x, y).values()));
    expect(isStationary(kernelOf(chosen(kernel)))).toBe(false);
  });

  test("takes for each kernel the length of the distance it measures in", () => {
    const kernels = [{ kernel: { name: "gaussian", scale: 2 } }, { kernel: { name: "laplacian", scale: 3 } }];
    const direct = sum([
      { weight: 1, kernel: gaussian({ scale: 2 * 5 }) },
      { weight: 1, kernel: laplacian({ scale: 3 * 7 }) },
    ]);
    expect(gramOf({ name: "sum", kernels }, { l2: 5, l1: 7 })).toEqual(
      Array.from(direct.gram(x, y).values()),
    );
    expect(unitsOf(chosen({ name: "sum", kernels })).toSorted()).toEqual(["l1", "l2"]);
  });
});

test("the distances that a choice measures in are each named once", () => {
  expect(unitsOf(chosen("linear"))).toEqual([]);
  expect(unitsOf(chosen("laplacian"))).toEqual(["l1"]);
  expect(unitsOf(chosen({ name: "product", kernels: ["gaussian", "cauchy", "linear"] }))).toEqual(["l2"]);
});

describe("the scale of the mean discrepancy", () => {
  const lengths = { l2: 5, l1: 70 };
  const at = (given: object): number => meanScale(chosen(given), 6, lengths);

  test("is d/E‖ω‖² of stationary kernels", () => {
    expect(at({ name: "gaussian", scale: 2 })).toBeCloseTo(100, 10);
    expect(at({ name: "matern52" })).toBeCloseTo((25 * 3) / 5, 10);
    expect(at({ name: "multiScale", factors: [1, 2] })).toBeCloseTo(6 / (6 * (0.5 / 25 + 0.5 / 100)), 10);
    expect(at({ name: "product", kernels: ["gaussian", "cauchy"] })).toBeCloseTo(25 / 3, 10);
  });

  test("is the squared Euclidean length where E‖ω‖² is infinite", () => {
    expect(at({ name: "laplacian", scale: 2 })).toBeCloseTo(100, 10);
    expect(at({ name: "matern12" })).toBeCloseTo(25, 10);
  });

  test("of other kernels is by their derivatives at 0", () => {
    expect(at({ name: "linear" })).toBe(1);
    // (⟨x, y⟩/25 + 2)³ = 8 + 12⟨x, y⟩/25 + …
    expect(at({ name: "polynomial", degree: 3, offset: 2 })).toBeCloseTo(25 / 12, 10);
    expect(at({ name: "polynomial", degree: 2, offset: 0 })).toBe(1);
    // (1 + 2t + …)(1 + t/25·3·4 …): by hand, k(0, 0) of the polynomial is 8, and the Gaussian's slope is 1/25.
    const both = ["gaussian", { name: "polynomial", degree: 3, offset: 2 }];
    expect(at({ name: "product", kernels: both })).toBeCloseTo(25 / (8 + 12), 10);
  });

  test.each([
    { name: "gaussian" },
    { name: "rationalQuadratic", shape: 2 },
    { name: "polynomial", degree: 3, offset: 0.5 },
    { name: "product", kernels: ["matern52", { name: "polynomial" }] },
    { name: "sum", kernels: [{ kernel: "linear" }, { weight: 2, kernel: "gaussian" }] },
  ])("takes the discrepancy to that of means as lengths grow: %j", (given) => {
    const wide = { l2: 1e4, l1: 1e4 };
    const { gram } = kernelOf(chosen(given), wide);
    const mean = (a: typeof x, b: typeof x): number => gram(a, b).mean().item();
    const squared = mean(x, x) + mean(y, y) - 2 * mean(x, y);
    const means = x.mean(0).sub(y.mean(0)).square().sum().item();
    // In a sum with the linear kernel, whose discrepancy does not shrink, the other's does not count.
    expect((meanScale(chosen(given), 5, wide) * squared) / means).toBeCloseTo(1, 4);
  });
});

describe("in a config file", () => {
  const folder = mkdtempSync(join(tmpdir(), "distillery-kernels-"));
  const path = join(folder, "composed.yaml");
  const read = (kernel: string) => {
    const text = ["data: procedural", "steps: 1", "objective:", "  name: csdm", `  kernel: ${kernel}`];
    writeFileSync(path, text.join("\n"));
    return readExperiment(path);
  };
  const composed =
    "{ name: sum, kernels: [{ weight: 0.5, kernel: laplacian }, { kernel: { name: product, kernels: [gaussian, { name: multiScale, kernel: { name: matern, smoothness: 1 }, factors: [1, 2] }] } }] }";

  test("kernels in kernels are read with their defaults, and told by their leaves", () => {
    const options = parseOptions(optionsText(read(composed)));
    expect(options.get("objective.kernel.kernels.0.weight")).toBe("0.5");
    expect(options.get("objective.kernel.kernels.0.kernel.scale")).toBe("1");
    expect(options.get("objective.kernel.kernels.1.weight")).toBe("1");
    expect(options.get("objective.kernel.kernels.1.kernel.kernels.1.kernel.smoothness")).toBe("1");
    expect(options.get("objective.kernel.kernels.1.kernel.kernels.1.factors.1")).toBe("2");
  });

  test("what a sweep expects to cost the same differs in names, not in scales", () => {
    const kind = costKind(read(composed));
    expect(costKind(read(composed.replace("smoothness: 1", "smoothness: 2")))).toBe(kind);
    expect(costKind(read(composed.replace("laplacian", "cauchy")))).not.toBe(kind);
  });

  test("overrides reach inside", () => {
    writeFileSync(path, "data: procedural\nsteps: 1\nobjective: csdm\n");
    const kernel = (...overrides: string[]) => {
      const { objective } = readExperiment(path, overrides);
      return (objective as { kernel?: unknown }).kernel;
    };
    expect(kernel("objective.kernel={ name: multiScale }", "objective.kernel.kernel.scale=3")).toMatchObject({
      name: "multiScale",
      kernel: { name: "gaussian", scale: 3 },
    });
    expect(
      kernel(
        "objective.kernel={ name: product, kernels: [gaussian, gaussian] }",
        "objective.kernel.kernels.1.scale=2",
      ),
    ).toMatchObject({ kernels: [{ scale: 1 }, { name: "gaussian", scale: 2 }] });
  });

  test.each([
    [
      "{ name: sum, kernels: [{ kernel: gausian }] }",
      'objective.kernel.kernels.0.kernel.name: unknown name "gausian"; did you mean gaussian?',
    ],
    [
      "{ name: product, kernels: [gaussian, linear] }",
      'objective.kernel.kernels.1.name: unknown name "linear"; expected one of gaussian, laplacian,',
    ],
    [
      "{ name: multiScale, kernel: { name: product, kernels: [{ name: matern, smothness: 2 }] } }",
      "objective.kernel.kernel.kernels.0.smothness: unknown option; did you mean smoothness?",
    ],
    [
      "{ name: sum, kernels: [{ weight: 0, kernel: gaussian }] }",
      "objective.kernel.kernels.0.weight: Too small: expected number to be >0, got 0",
    ],
    ["sum", "objective.kernel.kernels: expected array, got nothing"],
    [
      "{ name: sum, kernels: [] }",
      "objective.kernel.kernels: Too small: expected array to have >=1 items, got []",
    ],
    [
      "{ name: multiScale, factors: [1, -1] }",
      "objective.kernel.factors.1: Too small: expected number to be >0, got -1",
    ],
  ])("a mistake inside %s is told by its place", (kernel, message) => {
    expect(() => read(kernel)).toThrow(message);
  });

  test("the list of options names them once, and ends", () => {
    const lines = optionLines();
    expect(lines.filter((line) => /^ +- multiScale$/.test(line)).length).toBeGreaterThanOrEqual(1);
    expect(lines.find((line) => line.trim().startsWith("factors ="))).toMatch(
      /\[0.25,0.5,1,2,4\] +Its lengths/,
    );
    expect(lines.length).toBeLessThan(2000);
  });

  test("the schema's types and the table's agree: what a config may write is what a program may", () => {
    const experiment = resolveExperiment("x", {
      data: "procedural",
      steps: 1,
      objective: { name: "csdm", kernel: { name: "sum", kernels: [{ kernel: "multiScale" }] } },
    });
    expect(experiment.objective).toMatchObject({ kernel: { kernels: [{ kernel: { name: "multiScale" } }] } });
  });
});

test("polynomials measure their features in lengths", () => {
  const direct = polynomial({ scale: 4, offset: 1, degree: 2 });
  expect(gramOf({ name: "polynomial" }, { l2: 4, l1: 9 })).toEqual(Array.from(direct.gram(x, y).values()));
});
