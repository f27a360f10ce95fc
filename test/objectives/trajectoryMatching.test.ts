import { afterAll, describe, expect, test } from "@jest/globals";
import type { z } from "zod";
import { seeded } from "../../src/core/rng.ts";
import { parseStrategy } from "../../src/datasets/augment.ts";
import { begin, distill, type Distillation, type Report } from "../../src/distillers/distill.ts";
import { initialImages } from "../../src/distillers/initialize.ts";
import type { Tensor } from "../../src/engines/index.ts";
import { expertOf } from "../../src/objectives/experts.ts";
import { ftd, ftdOptions } from "../../src/objectives/ftd.ts";
import { mtt, mttOptions } from "../../src/objectives/mtt.ts";
import {
  descent,
  type Learned,
  type Objective,
  resultOf,
  type Source,
} from "../../src/objectives/objective.ts";
import type { TrajectoryDraw } from "../../src/objectives/segments.ts";
import { tesla, teslaOptions } from "../../src/objectives/tesla.ts";
import { sgd } from "../../src/optimizers/sgd.ts";
import { reference } from "../networks/chirp.ts";
import { expectClose } from "../support/close.ts";
import { engines, exactEngine } from "../support/engines.ts";
import { toySource } from "../support/toy.ts";

const candidates = await engines();
const engine = exactEngine(candidates)!;
afterAll(() => candidates.forEach((candidate) => candidate.engine?.close()));

const { case7_schedules: schedules } = reference<{
  case7_schedules: {
    averages: { decay: number; from: number; inputs: number[]; values: number[] };
    momentum: { momentum: number; learningRate: number; from: number; gradients: number[]; values: number[] };
  };
}>("tm.json");

const source: Source = { ...toySource(engine), augmentation: parseStrategy("crop_flip") };

const small = {
  startEpochs: { max: 2 },
  expertEpochs: 1,
  studentSteps: 3,
  experts: { count: 2, epochs: 3 },
  // Toy experts hardly move: at the published rate the step size would soon be negative.
  stepSize: { learningRate: 1e-8 },
};
const mttOf = (options: z.input<typeof mttOptions> = {}): Objective =>
  mtt(mttOptions.parse({ ...small, ...options }));

function runOf(objective: Objective, steps: number, learningRate = 1): Distillation {
  const optimizer = sgd({ learningRate, momentum: 0.5, weightDecay: 0 });
  return { source, objective, optimizer, steps, rng: seeded(2) };
}

const imagesOf = (run: Distillation): Tensor =>
  initialImages(run.source, { initialization: "random", scarcity: "error" }, run.rng);

function reportsOf(objective: Objective, steps: number): (Report & { readonly images: number[] })[] {
  const run = runOf(objective, steps);
  return Array.from(distill(run, begin(run, imagesOf(run))), (report) => ({
    ...report,
    images: Array.from(report.progress.learned.images.values()),
  }));
}

/** What one step draws, at the start of a run. */
function firstDraw(objective: Objective): { readonly learned: Learned; readonly draw: TrajectoryDraw } {
  const run = runOf(objective, 1);
  const { learned, state } = begin(run, imagesOf(run));
  return { learned, draw: objective.draw(source, seeded(7), { step: 0, state }) as TrajectoryDraw };
}

test("a segment goes from an expert's epoch to the one M later", () => {
  const objective = mttOf({ expertEpochs: 2, startEpochs: { min: 1, max: 2 } });
  const { draw } = firstDraw(objective);
  const [segment] = draw.segments;
  expect(segment!.epoch).toBe(1);
  const expert = expertOf(source, objective.preparations![0]!, draw.orders[0]![0]!);
  expect(segment!.start.map((part) => part.values())).toEqual(
    expert.snapshot(1).map((part) => part.values()),
  );
  expect(segment!.target.map((part) => part.values())).toEqual(
    expert.snapshot(3).map((part) => part.values()),
  );
});

test("every expert has its turn before one comes again, in an order of its own each time", () => {
  const objective = mttOf({ experts: { count: 5, epochs: 2 } });
  const run = runOf(objective, 0);
  let { state } = begin(run, imagesOf(run));
  const rounds: number[][] = [];
  for (let step = 0; step < 20; step++) {
    const draw = objective.draw(source, seeded(1).stream(`step/${step}`), { step, state }) as TrajectoryDraw;
    state = { orders: draw.orders, carried: {} };
    if (step % 5 === 0) rounds.push([...draw.orders[0]!]);
  }
  for (const round of rounds) expect([...round].sort()).toEqual([0, 1, 2, 3, 4]);
  expect(new Set(rounds.map(String)).size).toBeGreaterThan(1);
});

test("each of a student's steps has an operation of its own, with parameters for each image", () => {
  const { draw } = firstDraw(mttOf({ studentSteps: 12, batchSize: 4 }));
  const { batches } = draw.segments[0]!;
  expect(batches.map(({ positions }) => positions.length)).toEqual([2, 4, 2, 4, 2, 4, 2, 4, 2, 4, 2, 4]);
  const ops = batches.map(({ augmentation, positions }) => {
    if (!("sets" in augmentation)) throw new Error("expected one operation");
    expect(augmentation.sets).toHaveLength(positions.length);
    return augmentation.op;
  });
  expect(new Set(ops)).toEqual(new Set(["crop", "flip"]));
});

describe("the gradient", () => {
  const { learned, draw } = firstDraw(mttOf());
  const of = (gradient: "exact" | "tesla" | "unrolled") => descent(mttOf({ gradient }), learned, draw);

  test("exact is that of the unrolled steps", () => {
    const [exact, unrolled] = [of("exact"), of("unrolled")];
    expect(exact.value.item()).toBeCloseTo(unrolled.value.item(), 12);
    for (const name of ["images", "stepSize"]) {
      expectClose(exact.gradients[name]!.values(), unrolled.gradients[name]!.values(), 1e-12);
    }
  });

  test("of TESLA has the same loss, and another direction", () => {
    const [exact, tesla] = [of("exact"), of("tesla")];
    expect(tesla.value.item()).toBe(exact.value.item());
    const [a, b] = [exact, tesla].map(({ gradients }) => gradients.images!);
    const cosine = a!.mul(b!).sum().item() / Math.sqrt(a!.square().sum().item() * b!.square().sum().item());
    expect(cosine).toBeGreaterThan(0.5);
    expect(cosine).toBeLessThan(0.99999);
  });
});

describe("steps that are skipped", () => {
  test("segments that are all but a point", () => {
    const reports = reportsOf(mttOf({ shortest: 1e9 }), 2);
    expect(reports.map(({ metrics }) => metrics.skipped)).toEqual([1, 1]);
    expect(reports[1]!.images).toEqual(Array.from(imagesOf(runOf(mttOf(), 0)).values()));
    expect(reports.map(({ loss }) => loss)).toEqual([1, 1]);
  });

  test("none where segments are long", () => {
    for (const { metrics } of reportsOf(mttOf(), 2)) expect(metrics).not.toHaveProperty("skipped");
  });
});

describe("the step size", () => {
  test("is learned by SGD with momentum, and logged", () => {
    const reports = reportsOf(mttOf({ stepSize: { initial: 0.02, learningRate: 1e-8 } }), 3);
    const [first, second, third] = reports.map(({ metrics }) => metrics.stepSize!);
    expect(first).toBe(0.02);
    expect(second).not.toBe(first);
    const held = reportsOf(mttOf({ stepSize: { initial: 0.02, learningRate: 0 } }), 3);
    expect(held.map(({ metrics }) => metrics.stepSize)).toEqual([0.02, 0.02, 0.02]);
    expect(Number.isFinite(third)).toBe(true);
  });

  test("follows the momentum of the published optimizers", () => {
    const { momentum, learningRate, from, gradients, values } = schedules.momentum;
    const rule = sgd({ learningRate, momentum, weightDecay: 0 });
    let value = engine.fill([1], from);
    let state = rule.init(value);
    const found = gradients.map((gradient) => {
      ({ value, state } = rule.update(value, engine.fill([1], gradient), state));
      return value.item();
    });
    expectClose(found, values, 1e-12);
  });

  test("stops a run where it is no longer positive, and says what to do", () => {
    expect(() => reportsOf(mttOf({ stepSize: { initial: 0.02, learningRate: 1e3 } }), 20)).toThrow(
      /mtt, step \d+: expected a positive step size β after the update, got -.*objective.stepSize.floor/,
    );
  });

  test("stays at its floor or above where there is one", () => {
    const reports = reportsOf(mttOf({ stepSize: { initial: 0.02, learningRate: 1, floor: 0.01 } }), 8);
    const sizes = reports.map(({ metrics }) => metrics.stepSize!);
    expect(Math.min(...sizes)).toBeCloseTo(0.01, 12);
  });
});

describe("FTD", () => {
  const ftdOf = (averageDecay: number): Objective => ftd(ftdOptions.parse({ ...small, averageDecay }));

  test("hands out averages of the images, which its students never see", () => {
    const decay = 0.7;
    const run = runOf(ftdOf(decay), 4);
    const start = begin(run, imagesOf(run));
    let average = Array.from(start.learned.images.values());
    expect(resultOf(run.objective, start).images.values()).toEqual(start.learned.images.values());
    const learned: number[][] = [];
    for (const { progress } of distill(run, start)) {
      const images = Array.from(progress.learned.images.values());
      learned.push(images);
      average = average.map((before, i) => decay * before + (1 - decay) * images[i]!);
      expectClose(resultOf(run.objective, progress).images.values(), average, 1e-12);
    }
    // Without averages: the same images in every step.
    expect(reportsOf(ftdOf(0), 4).map(({ images }) => images)).toEqual(learned);
  });

  test("averages as published", () => {
    const { decay, from, inputs, values } = schedules.averages;
    const objective = ftdOf(decay);
    const { draw } = firstDraw(objective);
    const stepSize = engine.fill([1], 0.01);
    let carried: object = { average: engine.fill([1], from) };
    const found = inputs.map((input) => {
      const state = objective.after!({ images: engine.fill([1], input), stepSize }, {
        ...draw,
        carried,
      } as never);
      ({ carried } = state as unknown as { carried: object });
      return (carried as { average: Tensor }).average.item();
    });
    expectClose(found, values, 1e-11);
  });

  test("has experts of its own, on a flat path", () => {
    const [plain, flat] = [mttOf(), ftdOf(0)].map(({ preparations }) => preparations![0]!);
    expect(flat!.options).toMatchObject({ sharpness: { rho: 0.01, alpha: 0.3 } });
    expect(plain!.options).not.toHaveProperty("sharpness.rho");
  });
});

test("TESLA's soft labels are the last expert's, and handed out with the images", () => {
  const objective = tesla(teslaOptions.parse({ ...small, softLabels: true }));
  const run = runOf(objective, 1);
  const start = begin(run, imagesOf(run));
  expect(resultOf(objective, start)).not.toHaveProperty("softLabels");
  const draw = objective.draw(source, run.rng.stream("step/0"), {
    step: 0,
    state: start.state,
  }) as TrajectoryDraw;
  const { network, target } = draw.segments[0]!;
  const expected = (images: Tensor) => network.logits(target, images).logSoftmax().exp().values();
  // The student learns from what the expert says of the images as they are when the step begins.
  const hard = descent(tesla(teslaOptions.parse(small)), start.learned, draw).value.item();
  expect(descent(objective, start.learned, draw).value.item()).not.toBe(hard);
  for (const { progress } of distill(run, start)) {
    const result = resultOf(objective, progress);
    expectClose(result.softLabels!.values(), expected(progress.learned.images), 1e-12);
  }
});

test("an expert that is not trained long enough is refused", () => {
  expect(() => mttOf({ startEpochs: { max: 30 }, experts: { count: 1, epochs: 10 } })).toThrow(
    /objective.experts.epochs: expected at least 30/,
  );
});
