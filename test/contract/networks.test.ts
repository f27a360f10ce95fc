import { afterAll, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { parseStrategy } from "../../src/datasets/augment.ts";
import { initialImages } from "../../src/distillers/initialize.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { alexNet, mlp } from "../../src/networks/index.ts";
import { methods } from "../../src/objectives/index.ts";
import { descent, type Learned } from "../../src/objectives/objective.ts";
import { smallOptions } from "../support/smallOptions.ts";
import { toySource } from "../support/toy.ts";

/** Every method matches under networks of another kind than the ConvNet, too. */

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

const toy = toySource(engine);
const task = { imageShape: toy.real.imageShape, classes: toy.classes.length };
const kinds = [mlp({ width: 8 }, task), alexNet({ width: 8 }, task)];

test.each(Object.keys(methods))("%s descends under each", (name) => {
  const { options, build } = methods[name as keyof typeof methods];
  const loops = "outerLoop" in options.shape ? { outerLoop: 1, innerLoop: 1 } : {};
  for (const network of kinds) {
    const augmentation = parseStrategy(name.startsWith("dsa") ? "flip" : "none");
    // Into the source itself, which prepares by its own network.
    const source = Object.assign(toySource(engine), { network, augmentation });
    const images = initialImages(source, { initialization: "random", scarcity: "error" }, seeded(1));
    const objective = build(smallOptions(options.parse(loops)) as never);
    const begun = objective.begin?.(source, seeded(2), images);
    const learned: Learned = { images, ...begun?.learned };
    const draw = objective.draw(source, seeded(3), { step: 0, state: begun?.state ?? null });
    const { gradients } = descent(objective, learned, draw);
    const slopes = Array.from(gradients.images.values());
    expect(slopes.every(Number.isFinite)).toBe(true);
    expect(slopes.some((slope) => slope !== 0)).toBe(true);
  }
});
