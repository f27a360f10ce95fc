import { describe, expect, test } from "@jest/globals";
import type { z } from "zod";
import { seeded } from "../../src/core/rng.ts";
import { tensorsOf } from "../../src/engines/index.ts";
import { Divergence } from "../../src/core/errors.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { decodeProgress, encodeProgress } from "../../src/distillers/checkpoint.ts";
import { begin, distill, type Distillation, type Progress } from "../../src/distillers/distill.ts";
import { parseStrategy } from "../../src/datasets/augment.ts";
import { initialImages } from "../../src/distillers/initialize.ts";
import { csdm, csdmOptions } from "../../src/objectives/csdm.ts";
import { methods } from "../../src/objectives/index.ts";
import {
  descent,
  type Draw,
  type Learned,
  type Objective,
  type Plugin,
  type Source,
} from "../../src/objectives/objective.ts";
import { sgd } from "../../src/optimizers/sgd.ts";
import { difficultyCorrection, difficultyCorrectionOptions } from "../../src/plugins/difficultyCorrection.ts";
import { smallOptions } from "../support/smallOptions.ts";
import { toySource } from "../support/toy.ts";
import { carriedNetworkObjective, queueObjective, trajectoryObjective } from "./smallObjectives.ts";

const [outerLoop, innerLoop] = [3, 1];
const path = {
  experts: { learningRate: 0.1 },
  batchSize: 4,
  stepSize: { initial: 0.05, learningRate: 1e-5 },
};
/** Options by which all that a method does comes up in a few steps. */
const given: Record<string, object> = {
  dc: { outerLoop, innerLoop },
  dsa: { outerLoop, innerLoop },
  dcc: { outerLoop, innerLoop, warmUp: { networks: 1, updates: 2 } },
  dsac: { outerLoop, innerLoop, warmUp: { networks: 1, updates: 2 } },
  mtt: path,
  ftd: path,
  tesla: { ...path, gradient: "exact" },
  datm: { ...path, labels: { learningRate: 0.1 } },
  lad: { ...path, gradient: "exact", labels: { learningRate: 0.1 } },
};
const shapes: Record<string, Objective> = {
  ...Object.fromEntries(
    Object.entries(methods).map(([name, { options, build }]): [string, Objective] => [
      name,
      build(smallOptions(options.parse(given[name] ?? {})) as never),
    ]),
  ),
  "csdm with frequencies that learn": csdm(csdmOptions.parse({ frequencies: 48, sampling: "learned" })),
  "queue of networks": queueObjective,
  "network carried through an inner loop": carriedNetworkObjective,
  "images, soft labels and step size": trajectoryObjective,
};
const correctionOf = (given: z.input<typeof difficultyCorrectionOptions>): Plugin =>
  difficultyCorrection(difficultyCorrectionOptions.parse(given));
const objectives = Object.entries(shapes).flatMap(
  ([name, objective]) =>
    [
      [name, objective],
      [`${name}, with a penalty on the synthetic gradient`, correctionOf({ weight: 0.3 })(objective)],
    ] as const,
);
for (const name of ["dm", "dsac", "mtt"]) {
  const corrected = correctionOf({ weight: 0.3, images: "clean", rise: { to: 0.5, steps: 5 } });
  objectives.push([`${name}, with a penalty on images as they are`, corrected(shapes[name]!)]);
}

const engine = torchEngine({ dtype: "float64", threads: 1 });
// A smooth activation: central differences must not straddle a kink.
const plain = toySource(engine, { network: { activation: "swish" } });
const augmented: Source = { ...plain, augmentation: parseStrategy("color_crop+scale") };
const sourceOf = ({ name }: Objective): Source => (/^(dsa|mtt)/.test(name) ? augmented : plain);

function distillation(objective: Objective, steps: number, learningRate = 0.05): Distillation {
  const source = sourceOf(objective);
  const optimizer = sgd({ learningRate, momentum: 0.5, weightDecay: 0 });
  return { source, objective, optimizer, steps, rng: seeded(5) };
}

function startOf(run: Distillation): Progress {
  return begin(run, initialImages(run.source, { initialization: "random", scarcity: "error" }, run.rng));
}

function last(run: Distillation, from: Progress): Progress {
  let progress = from;
  for (const report of distill(run, from)) progress = report.progress;
  return progress;
}

const bits = (progress: Progress): unknown => tensorsOf(progress).map((tensor) => [...tensor.values()]);

/** The draw of the first step at which nothing is special: the second. */
function secondDraw(objective: Objective): { readonly learned: Learned; readonly draw: Draw } {
  const run = distillation(objective, 1);
  const progress = last(run, startOf(run));
  const draw = objective.draw(run.source, run.rng.stream("step/1"), { step: 1, state: progress.state });
  return { learned: progress.learned, draw };
}

describe.each(objectives)("%s", (_, objective) => {
  test("gives the same loss for the same draw", () => {
    const { learned, draw } = secondDraw(objective);
    expect(objective.loss(learned, draw).item()).toBe(objective.loss(learned, draw).item());
  });

  test("descends along the gradient of its loss, in everything it learns", () => {
    const { learned, draw } = secondDraw(objective);
    const found = descent(objective, learned, draw);
    expect(found.value.item()).toBeCloseTo(objective.loss(learned, draw).item(), 10);
    for (const [name, tensor] of Object.entries(learned)) {
      const direction = engine.tensor(
        tensor.shape,
        seeded(3).fillNormal(new Float64Array(tensor.values().length)),
      );
      const lossAt = (t: number): number =>
        objective.loss({ ...learned, [name]: tensor.add(direction.mul(t)) }, draw).item();
      const h = 1e-5;
      const numeric = (lossAt(h) - lossAt(-h)) / (2 * h);
      const analytic = found.gradients[name]!.mul(direction).sum().item();
      expect(Math.abs(analytic - numeric)).toBeLessThan(1e-6 * Math.max(1, Math.abs(numeric)));
    }
  });

  test("ends with the same bits when it is stopped, saved, restored and resumed", () => {
    const through = last(distillation(objective, 7), startOf(distillation(objective, 7)));
    const half = last(distillation(objective, 4), startOf(distillation(objective, 4)));
    const { progress, metadata } = decodeProgress(encodeProgress(half, { seed: "5" }), engine);
    expect(metadata).toEqual({ seed: "5" });
    const resumed = last(distillation(objective, 7), progress);
    expect(resumed.step).toBe(7);
    expect(bits(resumed)).toEqual(bits(through));
  });

  test("leaks no tensor", () => {
    const run = distillation(objective, 12);
    const live: number[] = [];
    for (const { progress } of distill(run, startOf(run))) {
      live.push(engine.liveTensors() - tensorsOf(progress).length);
    }
    expect(Math.max(...live.slice(1))).toBe(live[0]);
  });
});

describe.each(Object.entries(shapes))("%s", (_, objective) => {
  test("is itself under a penalty of weight 0", () => {
    expect(correctionOf({ weight: 0 })(objective)).toBe(objective);
  });

  test("grows by a penalty in proportion to its weight", () => {
    const { learned, draw } = secondDraw(objective);
    const lossAt = (weight: number): number => correctionOf({ weight })(objective).loss(learned, draw).item();
    const bare = objective.loss(learned, draw).item();
    expect(lossAt(0.2) - bare).toBeGreaterThan(0);
    expect(lossAt(0.4) - bare).toBeCloseTo(2 * (lossAt(0.2) - bare), 10);
  });

  test("lowers its loss on one fixed draw", () => {
    const { learned, draw } = secondDraw(objective);
    const fixed: Objective = { ...objective, draw: () => draw };
    delete (fixed as { after?: unknown }).after;
    const run = distillation(fixed, 15, 0.02);
    const start = startOf(run);
    const first = objective.loss(start.learned, draw).item();
    const final = last(run, start);
    expect(objective.loss(final.learned, draw).item()).toBeLessThan(first);
    expect(learned.images.shape).toEqual(final.learned.images.shape);
  });
});

test("a loss that is not finite stops the run, names step and method, and keeps the last good state", () => {
  const bad: Objective = {
    ...queueObjective,
    loss: (learned, draw) => {
      const loss = queueObjective.loss(learned, draw as never);
      return draw.step === 3 ? loss.mul(NaN) : loss;
    },
  };
  const run = distillation(bad, 10);
  let kept = startOf(run);
  const go = (): void => {
    for (const { progress } of distill(run, kept)) kept = progress;
  };
  expect(go).toThrow(Divergence);
  expect(kept.step).toBe(3);
  expect([...kept.learned.images.values()].every(Number.isFinite)).toBe(true);
  const again = (): Progress => last(run, decodeProgress(encodeProgress(kept), engine).progress);
  expect(again).toThrow(/queue, step 3: expected a finite loss .* the last finite loss was \d/);
});

test("an update that leaves the finite numbers stops the run before it is kept", () => {
  const run = distillation(queueObjective, 10, 1e308);
  let kept = startOf(run);
  const go = (): void => {
    for (const { progress } of distill(run, kept)) kept = progress;
  };
  expect(go).toThrow(/queue, step 0: expected finite images after the update, got others; the loss was \d/);
  expect(kept.step).toBe(0);
  expect([...kept.learned.images.values()].every(Number.isFinite)).toBe(true);
});

test("a checkpoint that is damaged is refused by name", () => {
  const run = distillation(queueObjective, 1);
  const bytes = encodeProgress(last(run, startOf(run)));
  expect(() => decodeProgress(bytes.subarray(0, bytes.length - 9), engine)).toThrow(/safetensors/);
});
