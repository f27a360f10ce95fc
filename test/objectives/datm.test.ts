import { afterAll, describe, expect, test } from "@jest/globals";
import type { z } from "zod";
import { seeded } from "../../src/core/rng.ts";
import { begin, distill, type Distillation, type Report } from "../../src/distillers/distill.ts";
import type { Tensor } from "../../src/engines/index.ts";
import { arraysOf, distillationOf, evaluationOf, protocols } from "../../src/index.ts";
import { datm, datmOptions } from "../../src/objectives/datm.ts";
import { initialLogits, softmaxLabels } from "../../src/objectives/learnedLabels.ts";
import { descent, type Objective } from "../../src/objectives/objective.ts";
import type { TrajectoryDraw } from "../../src/objectives/segments.ts";
import { trajectoryLoss } from "../../src/objectives/trajectory.ts";
import { planOf } from "../../src/runs/plan.ts";
import { sgd } from "../../src/optimizers/sgd.ts";
import { expectClose } from "../support/close.ts";
import { engines, exactEngine } from "../support/engines.ts";
import { smallOptions } from "../support/smallOptions.ts";
import { toySource } from "../support/toy.ts";

const candidates = await engines();
const engine = exactEngine(candidates)!;
afterAll(() => candidates.forEach((candidate) => candidate.engine?.close()));

const source = toySource(engine);
const noise = (): Tensor => engine.tensor([6, 8, 8, 3], seeded(4).fillNormal(new Float64Array(6 * 192)));

type Options = z.input<typeof datmOptions>;
const datmOf = ({ threshold, ...options }: Options = {}): Objective => {
  const small = smallOptions(datmOptions.parse(options));
  return datm({ ...small, threshold: threshold ?? small.threshold });
};

function runOf(objective: Objective, steps = 2): Distillation {
  const optimizer = sgd({ learningRate: 1, momentum: 0.5, weightDecay: 0 });
  return { source, objective, optimizer, steps, rng: seeded(2) };
}

/** Values of all that is learned, at step 0 and after each step. */
function courseOf(objective: Objective): { readonly values: number[][]; readonly report?: Report }[] {
  const run = runOf(objective);
  const start = begin(run, noise());
  const valuesOf = (learned: object): number[][] =>
    Object.values(learned).map((tensor: Tensor) => Array.from(tensor.values()));
  const first = { values: valuesOf(start.learned) };
  return [
    first,
    ...Array.from(distill(run, start), (report) => ({ values: valuesOf(report.progress.learned), report })),
  ];
}

describe("the start", () => {
  test("is real images and what the experts say of them", () => {
    const objective = datmOf();
    const { images, labelLogits } = begin(runOf(objective), noise()).learned;
    expect(images.values()).not.toEqual(noise().values());
    const expected = initialLogits(source, objective.preparations![0]!, images, "correct");
    expect(labelLogits!.values()).toEqual(expected.values());
  });

  test("can be the run's, and what the first expert says of it", () => {
    const objective = datmOf({ initialImages: "run", labels: { initial: "first" } });
    const { images, labelLogits } = begin(runOf(objective), noise()).learned;
    expect(images.values()).toEqual(noise().values());
    const expected = initialLogits(source, objective.preparations![0]!, images, "first");
    expect(labelLogits!.values()).toEqual(expected.values());
  });
});

test("the student trains on the softmax of the logits", () => {
  const objective = datmOf({ gradient: "unrolled" });
  const { learned, state } = begin(runOf(objective), noise());
  const draw = objective.draw(source, seeded(7), { step: 0, state }) as TrajectoryDraw;
  const { value, gradients } = descent(objective, learned, draw);
  const expected = engine.gradients(
    (labelLogits) =>
      trajectoryLoss(draw.segments[0]!, {
        images: learned.images,
        labels: softmaxLabels({ ...learned, labelLogits: labelLogits! }),
        stepSize: learned.stepSize!,
      }),
    [learned.labelLogits!],
  );
  expect(value.item()).toBeCloseTo(expected.value.item(), 12);
  expectClose(gradients.labelLogits!.values(), expected.gradients[0]!.values(), 1e-12);
  const sum = expected.gradients[0]!.square().sum().item();
  expect(sum).toBeGreaterThan(0);
});

describe("logits", () => {
  test("descend by SGD with their own rate and momentum", () => {
    const rule = datmOf({ labels: { learningRate: 5, momentum: 0.9 } }).optimizers!.labelLogits!;
    let value = engine.fill([1, 3], 0);
    let state = rule.init(value);
    for (const slope of [1, 1, 0]) {
      ({ value, state } = rule.update(value, engine.fill([1, 3], slope), state));
    }
    // v = 1, 1.9, 1.71.
    expectClose(value.values(), Array<number>(3).fill(-5 * 4.61), 1e-12);
  });

  test("are held at rate 0", () => {
    const at = courseOf(datmOf({ labels: { learningRate: 0 } })).map(({ values }) => values[0]);
    expect(at[2]).toEqual(at[0]);
    const moving = courseOf(datmOf()).map(({ values }) => values[0]);
    expect(moving[2]).not.toEqual(moving[0]);
  });
});

test("a loss above the threshold changes nothing", () => {
  const [start, first, second] = courseOf(datmOf({ threshold: 1e-6 }));
  expect(first!.values).toEqual(start!.values);
  expect(second!.values).toEqual(start!.values);
  expect(second!.report!.metrics).toMatchObject({ skipped: 1 });
  const [before, after] = courseOf(datmOf({ threshold: 1e6 }));
  expect(after!.report!.metrics).not.toHaveProperty("skipped");
  before!.values.forEach((values, i) => expect(after!.values[i]).not.toEqual(values));
});

test("start epochs that are stated take the place of the whole default", () => {
  const [published, stated] = [{}, { startEpochs: { max: 4 } }].map(
    (given) => datmOptions.parse(given).startEpochs,
  );
  expect(published).toEqual({ min: 0, max: 20, growth: { from: 10, steps: 1000 } });
  expect(stated).toEqual({ min: 0, max: 4 });
});

test("soft labels and step size are handed out, and networks are judged by them", () => {
  const run = distillationOf(source.real, {
    engine,
    network: { name: "convNet", depth: 1, width: 4 },
    imagesPerClass: 2,
    objective: { name: "datm", ...smallOptions(datmOptions.parse({})) },
    steps: 2,
  });
  const synthetic = run.finish();
  const { soft_labels: soft, lr: rate } = arraysOf(synthetic);
  expect(soft!.shape).toEqual([6, 3]);
  expect(rate!.data[0]).toBeCloseTo(synthetic.learningRate!, 7);
  expect(synthetic.learningRate).not.toBe(0.01);
  expect(synthetic.learningRate).toBeCloseTo(0.01, 3);
  for (let i = 0; i < 18; i += 3) {
    const row = synthetic.softLabels!.slice(i, i + 3);
    expect(row.reduce((sum, value) => sum + value)).toBeCloseTo(1, 6);
  }
  const protocol = {
    id: "tiny",
    version: 1,
    description: "Of two epochs.",
    training: { ...protocols.quick.training, epochs: 2 },
  };
  const { network } = synthetic;
  const plan = planOf(synthetic, source.real, { network, protocol }, engine);
  expectClose((plan.labels as Tensor).values(), synthetic.softLabels!, 1e-12);
  const judged = evaluationOf(synthetic, source.real, { engine, protocol, networks: 1 }).finish();
  expect(judged.networks[0]!.training.learningRate).toBe(synthetic.learningRate);
  expect(judged.accuracy).toBeGreaterThanOrEqual(0);
});
