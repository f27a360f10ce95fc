import { afterAll, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { begin, distill, type Distillation } from "../../src/distillers/distill.ts";
import { initialImages } from "../../src/distillers/initialize.ts";
import { forEachTensor } from "../../src/engines/index.ts";
import { type Objective, resultOf } from "../../src/objectives/objective.ts";
import { sgd } from "../../src/optimizers/sgd.ts";
import { exactEngine, engines } from "../support/engines.ts";
import { toySource } from "../support/toy.ts";

const candidates = await engines();
const engine = exactEngine(candidates)!;
afterAll(() => candidates.forEach((candidate) => candidate.engine?.close()));

const source = toySource(engine);

/** Halves the distance to 1, but leaves out what `skips` says. */
function towardsOne(skips: readonly number[] = []): Objective {
  return {
    name: "towardsOne",
    draw: (_source, _rng, { step }) => ({ step }),
    loss: ({ images }) => images.sub(1).square().sum().mul(0.5),
    descent({ images }, { step }) {
      const away = images.sub(1);
      return {
        value: away.square().sum().mul(0.5),
        gradients: { images: away },
        ...(skips.includes(step) && { skipped: "this one is to be left out" }),
      };
    },
  };
}

function runOf(objective: Objective, steps: number): Distillation {
  const optimizer = sgd({ learningRate: 0.1, momentum: 0.5, weightDecay: 0 });
  return { source, objective, optimizer, steps, rng: seeded(1) };
}

const imagesOf = (run: Distillation) =>
  initialImages(run.source, { initialization: "random", scarcity: "error" }, run.rng);

/** All tensors of the progress after each step, and the steps' metrics. */
function traceOf(objective: Objective, steps: number) {
  const run = runOf(objective, steps);
  return Array.from(distill(run, begin(run, imagesOf(run))), ({ progress, metrics }) => {
    const tensors: number[][] = [];
    forEachTensor({ ...progress }, (tensor) => tensors.push(Array.from(tensor.values())));
    return { tensors, metrics };
  });
}

test("a skipped step leaves what is learned, and its momentum, as they were", () => {
  const whole = traceOf(towardsOne(), 2);
  const skipping = traceOf(towardsOne([1]), 3);
  expect(skipping.map(({ metrics }) => metrics.skipped)).toEqual([undefined, 1, undefined]);
  expect(skipping[1]!.tensors).toEqual(whole[0]!.tensors);
  expect(skipping[2]!.tensors).toEqual(whole[1]!.tensors);
});

test("a method may bring the images at step 0", () => {
  const objective: Objective = {
    ...towardsOne(),
    begin: ({ engine: where, labels, real }) => ({
      images: where.fill([labels.length, ...real.imageShape], 3),
    }),
  };
  const run = runOf(objective, 0);
  const given = imagesOf(run);
  const { learned } = begin(run, given);
  expect(new Set(learned.images.values())).toEqual(new Set([3]));
  expect(() => given.values()).toThrow();
});

test("what a run hands out is the method's result where it has one", () => {
  const run = runOf(towardsOne(), 0);
  const progress = begin(run, imagesOf(run));
  expect(resultOf(run.objective, progress)).toBe(progress.learned);
  const doubled: Objective = {
    ...run.objective,
    result: ({ images }) => ({ images: images.mul(2) }),
  };
  const values = resultOf(doubled, progress).images.values();
  expect(Array.from(values)).toEqual(Array.from(progress.learned.images.values(), (value) => 2 * value));
});
