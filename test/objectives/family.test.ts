import { afterAll, describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { parseStrategy } from "../../src/datasets/augment.ts";
import type { Partition } from "../../src/datasets/partition.ts";
import { begin, distill, type Distillation } from "../../src/distillers/distill.ts";
import { initialImages } from "../../src/distillers/initialize.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { methods } from "../../src/objectives/index.ts";
import type { Objective, Source } from "../../src/objectives/objective.ts";
import { perClass } from "../../src/optimizers/perClass.ts";
import { sgd } from "../../src/optimizers/sgd.ts";
import { smallOptions } from "../support/smallOptions.ts";
import { toySource } from "../support/toy.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

const mosaics: Partition = { factor: 2, order: "columns" };
const settings: Record<string, Source> = {
  "balanced classes": toySource(engine, { counts: [4, 4, 4] }),
  "a class of one real image": toySource(engine, { counts: [8, 3, 1] }),
  "mosaics of more images than a class has": {
    ...toySource(engine, { counts: [8, 3, 1] }),
    partition: mosaics,
  },
  "batch norm": toySource(engine, { counts: [8, 3, 1], network: { norm: "batch" } }),
};

/** No loops are published for two images of a class. */
const loops = { outerLoop: 2, innerLoop: 1 };
const cases = Object.entries(methods).flatMap(([name, { options, build }]) =>
  Object.entries(settings).map(([setting, source]) => {
    const given = {
      ...("outerLoop" in options.shape && loops),
      ...("initialImages" in options.shape && source.partition && { initialImages: "run" }),
    };
    const objective: Objective = build(smallOptions(options.parse(given)) as never);
    const augmentation = name.startsWith("dsa") ? parseStrategy("crop_scale") : [];
    return [name, setting, objective, { ...source, augmentation }] as const;
  }),
);

describe.each(cases)("%s on %s", (_, __, objective, source) => {
  const rule = sgd({ learningRate: 0.1, momentum: 0.5, weightDecay: 0 });

  test.each([
    ["joint", rule],
    ["class after class", perClass(rule, source.classes.length)],
  ])("moves the images of every class, %s", (_, optimizer) => {
    const run: Distillation = { source, objective, optimizer, steps: 2, rng: seeded(3) };
    // Not from real images: copies of a class's only one would match it.
    const images = initialImages(source, { initialization: "noise", scarcity: "duplicate" }, run.rng);
    const start = Array.from(images.values());
    let end: number[] = [];
    for (const { progress } of distill(run, begin(run, images))) {
      end = Array.from(progress.learned.images.values());
    }
    const perClassSize = start.length / source.classes.length;
    expect(end.every(Number.isFinite)).toBe(true);
    for (const label of source.classes.keys()) {
      const [from, to] = [label * perClassSize, (label + 1) * perClassSize];
      expect(end.slice(from, to)).not.toEqual(start.slice(from, to));
    }
  });
});
