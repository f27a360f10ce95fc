import { afterAll, describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { initialImages } from "../../src/distillers/initialize.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { methods } from "../../src/objectives/index.ts";
import { descent, type Learned, type Objective } from "../../src/objectives/objective.ts";
import { termsOptions } from "../../src/objectives/terms/index.ts";
import { smallOptions } from "../support/smallOptions.ts";
import { toySource } from "../support/toy.ts";

/** Every method of distribution matching takes every term. */

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

// A smooth activation: central differences must not straddle a kink.
const source = toySource(engine, { network: { activation: "swish" } });
const learned: Learned = {
  images: initialImages(source, { initialization: "random", scarcity: "error" }, seeded(1)),
};

const matching = Object.entries(methods).filter(([, { options }]) => "terms" in options.shape);
const terms = Object.keys(termsOptions.shape);

function built(name: string, given: object): Objective {
  const { options, build } = methods[name as keyof typeof methods];
  return build(smallOptions(options.parse({ terms: given })) as never);
}

function drawn(objective: Objective) {
  const state = objective.begin?.(source, seeded(2), learned.images).state ?? null;
  return objective.draw(source, seeded(3), { step: 0, state });
}

test("there are methods and terms to combine", () => {
  expect(matching.map(([name]) => name)).toEqual(expect.arrayContaining(["dm", "csdm", "iid"]));
  expect(terms).toEqual(expect.arrayContaining(["classCentralization", "covarianceMatching"]));
});

describe.each(matching)("%s", (name) => {
  test.each(terms)("adds %s in proportion to its weight", (term) => {
    const fixed = term === "crossEntropy" ? { factor: "none" } : {};
    const [none, one, two] = [0, 1, 2].map((weight) => {
      const objective = built(name, { [term]: { ...fixed, weight } });
      return objective.loss(learned, drawn(objective)).item();
    }) as [number, number, number];
    expect(one).toBeGreaterThan(none);
    expect(two - none).toBeCloseTo(2 * (one - none), 9);
  });

  test("descends along the gradient of its loss with all of them", () => {
    const objective = built(name, Object.fromEntries(terms.map((term) => [term, { weight: 0.5 }])));
    const draw = drawn(objective);
    const { images } = learned;
    const found = descent(objective, learned, draw);
    expect(found.value.item()).toBeCloseTo(objective.loss(learned, draw).item(), 10);
    const direction = engine.tensor(
      images.shape,
      seeded(4).fillNormal(new Float64Array(images.values().length)),
    );
    const lossAt = (t: number): number =>
      objective.loss({ images: images.add(direction.mul(t)) }, draw).item();
    const h = 1e-5;
    const numeric = (lossAt(h) - lossAt(-h)) / (2 * h);
    const analytic = found.gradients.images!.mul(direction).sum().item();
    expect(Math.abs(analytic - numeric)).toBeLessThan(1e-6 * Math.max(1, Math.abs(numeric)));
  });
});
