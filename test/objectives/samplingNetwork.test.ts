import { afterAll, describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import type { Tensor, Tree } from "../../src/engines/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { spectralMatching, spectralOptions } from "../../src/objectives/spectral.ts";
import type { ClassFeatures, Comparison, SyntheticClasses } from "../../src/objectives/term.ts";
import { toySource } from "../support/toy.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

const source = toySource(engine, { counts: [7, 5] });
const { width } = source.network;
const features = (counts: readonly number[], name: string, spread: number): ClassFeatures => {
  const rows = counts.reduce((sum, count) => sum + count);
  const values = seeded(8)
    .stream(name)
    .fillNormal(new Float64Array(rows * width));
  // Positive, as embeddings are that end in a relu.
  return {
    classes: [0, 1],
    counts,
    values: engine.tensor(
      [rows, width],
      values.map((value) => Math.abs(spread * value)),
    ),
  };
};
const real = features([7, 5], "real", 1);
const some = features([2, 2], "synthetic", 0.7);
const synthetic: SyntheticClasses = { ...some, images: some.values };

/** A term under NCFM's options, and what a step of it compares with at some parameters of its network. */
function termOf(given: object): {
  begin(): Tensor[];
  at(state: readonly Tensor[] | null, seed?: number): Comparison;
  weight: number;
} {
  const options = spectralOptions.parse({
    weight: 3,
    distance: "root",
    features: "unit",
    bandwidth: { rule: "fixed" },
    lossScale: "none",
    frequencies: 48,
    ...given,
  });
  const term = spectralMatching(options);
  return {
    weight: term.weight,
    begin: () => term.begin!(source, seeded(4)) as unknown as Tensor[],
    at(state, seed = 5) {
      const networks = { parameters: [], accuracy: 0 };
      const known = { source, counts: real.counts, picked: undefined, networks };
      const fold = term.prepare({ ...known, state: state as unknown as Tree }, seeded(seed));
      return fold.comparison(fold.add(fold.start, real));
    },
  };
}

const learned = { name: "learned", learningRate: 1 };
const lossOf = (comparison: Comparison): number => comparison.loss(synthetic).item();

test.each([
  ["as in NCFM", {}],
  ["squared, and freed of noise in its amplitudes", { distance: "squared", amplitudeTarget: "unbiased" }],
  ["at the root, and freed of noise in its amplitudes", { amplitudeTarget: "unbiased" }],
  ["with a kernel of heavier tails", { kernel: "matern32" }],
  ["of raw features, with fewer hidden units", { features: "raw", sampling: { ...learned, hidden: 5 } }],
])("a step of ascent goes along the gradient in the network's parameters: %s", (_, given) => {
  const term = termOf({ sampling: learned, ...given });
  const theta = term.begin();
  const next = term.at(theta).after!(synthetic) as unknown as Tensor[];
  theta.forEach((value, i) => {
    const direction = engine.tensor(
      value.shape,
      seeded(i).fillNormal(new Float64Array(value.values().length)),
    );
    const along = (h: number): number =>
      lossOf(term.at(theta.map((other, j) => (j === i ? other.add(direction.mul(h)) : other))));
    const h = 1e-6;
    const numeric = (term.weight * (along(h) - along(-h))) / (2 * h);
    const analytic = next[i]!.sub(value).mul(direction).sum().item();
    expect(numeric).not.toBe(0); // as it is where the loss's gradient and that of its negative are added up
    expect(Math.abs(analytic - numeric)).toBeLessThan(1e-5 * Math.max(1e-2, Math.abs(numeric)));
  });
});

test("the network finds frequencies at which the same images differ more, and not only those it was shown", () => {
  const term = termOf({ sampling: { name: "learned", learningRate: 0.05 } });
  const others = [101, 102, 103, 104];
  const meanLoss = (theta: readonly Tensor[]): number =>
    others.reduce((sum, seed) => sum + lossOf(term.at(theta, seed)), 0) / others.length;
  let theta = term.begin();
  const before = { shown: lossOf(term.at(theta, 0)), others: meanLoss(theta) };
  for (let step = 0; step < 30; step++) {
    theta = term.at(theta, step).after!(synthetic) as unknown as Tensor[];
  }
  expect(lossOf(term.at(theta, 0))).toBeGreaterThan(1.02 * before.shown);
  expect(meanLoss(theta)).toBeGreaterThan(1.02 * before.others);
});

describe("where every scale is 1", () => {
  // ψ = tanh(0 · x + 0)
  const flat = (theta: readonly Tensor[]): Tensor[] =>
    theta.map((value, i) => (i === 7 ? value.mul(0) : value));

  test.each([{}, { kernel: "matern32" }, { weighting: "logarithmic", distance: "squared" }])(
    "the frequencies are the kernel's own, with %j",
    (given) => {
      const term = termOf({ sampling: learned, ...given });
      const comparison = term.at(flat(term.begin()));
      expect(lossOf(comparison)).toBeCloseTo(lossOf(termOf(given).at(null)), 12);
      expect(comparison.metrics!.scaleMean).toBeCloseTo(1, 12);
      expect(comparison.metrics!.scaleDeviation).toBeCloseTo(0, 12);
    },
  );
});

test("scales stay between softplus(−1)/ln 2 and softplus(1)/ln 2, whatever the parameters", () => {
  const term = termOf({ sampling: learned });
  const wild = term.begin().map((value) => value.mul(1e4));
  const { scaleMean, scaleDeviation } = term.at(wild).metrics!;
  const [low, high] = [-1, 1].map((x) => Math.log(1 + Math.exp(x)) / Math.LN2);
  expect(scaleMean).toBeGreaterThan(low!);
  expect(scaleMean).toBeLessThan(high!);
  expect(scaleDeviation).toBeLessThanOrEqual((high! - low!) / 2);
});

test("one component has nothing that batch norm could compare it with", () => {
  expect(() => termOf({ frequencies: 16, sampling: learned })).toThrow(
    /sampling: expected more frequencies than the 16 that share one scale, got 16; raise frequencies or lower/,
  );
  expect(() => termOf({ frequencies: 17, sampling: learned })).not.toThrow();
});
