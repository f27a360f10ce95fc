import { afterAll, describe, expect, test } from "@jest/globals";
import type { Tensor } from "../../src/engines/index.ts";
import type { Network } from "../../src/networks/index.ts";
import { type Penalty, type Synthetic, trajectoryLoss } from "../../src/objectives/trajectory.ts";
import { trajectoryGradient } from "../../src/objectives/trajectoryGradient.ts";
import {
  channelsFirst,
  chirp,
  expectNear,
  expectSummary,
  reference,
  type Summary,
} from "../networks/chirp.ts";
import { expectClose } from "../support/close.ts";
import { describeEngines, engines, exactEngine } from "../support/engines.ts";
import { plain, schedules, student } from "./referenceStudent.ts";
import { norm, randomStudent, type StudentSetting, unrolled } from "./randomStudent.ts";

interface Unrolled {
  loss: number;
  full_grad_x: Summary;
  full_grad_beta: number;
  tesla_grad_x: Summary;
}

interface Penalized {
  match: number;
  total: number;
  full_grad_x: Summary;
  full_grad_beta: number;
  tesla_sdc_grad_x: Summary;
}

const {
  case1_linear_2step: linear,
  case2_convnet: convolutional,
  case3_sdc_tm: penalized,
} = reference<{
  case1_linear_2step: Omit<Unrolled, "full_grad_x" | "tesla_grad_x"> & {
    full_grad_x: number[][];
    tesla_grad_x: number[][];
    tesla_grad_beta: number;
  };
  case2_convnet: Record<"A_2step_full" | "B_4step_batch2", Unrolled & { tesla_grad_beta: number }>;
  case3_sdc_tm: Record<`${"A_2step_full" | "B_4step_batch2"}_lam${0.002 | 0.2}`, Penalized>;
}>("tm.json");

const candidates = await engines();
const engine = exactEngine(candidates)!;
afterAll(() => candidates.forEach((candidate) => candidate.engine?.close()));

// Reference numbers have 8 digits.
const tolerance = 1e-7;

describe("against reference numbers", () => {
  test("of a linear classifier", () => {
    const network = linearClassifier();
    const wave = chirp(15, 1.1, 0, 0.4).map((v) => 0.5 * v);
    const start = [engine.tensor([3, 4], wave.subarray(0, 12)), engine.tensor([3], wave.subarray(12))];
    const way = chirp(15, 0.6, 0, 1).map((v) => 0.3 * v);
    const target = [
      start[0]!.add(engine.tensor([3, 4], way.subarray(0, 12))),
      start[1]!.add(engine.tensor([3], way.subarray(12))),
    ];
    const synthetic: Synthetic = {
      images: engine.tensor([3, 1, 1, 4], chirp(12, 0.9, 0.01, 0.2)),
      labels: Int32Array.of(0, 1, 2),
      stepSize: engine.fill([], 0.5),
    };
    const trajectory = { network, start, target, batches: [plain(0, 1, 2), plain(0, 1, 2)] };
    const exact = trajectoryGradient(trajectory, synthetic);
    expect(exact.value.item()).toBeCloseTo(linear.loss, 7);
    expectNear(exact.gradients.images.values(), linear.full_grad_x.flat(), tolerance);
    expect(exact.gradients.stepSize.item()).toBeCloseTo(linear.full_grad_beta, 7);
    const tesla = trajectoryGradient(trajectory, synthetic, { throughPath: false });
    expectNear(tesla.gradients.images.values(), linear.tesla_grad_x.flat(), tolerance);
    expect(tesla.gradients.stepSize.item()).toBeCloseTo(linear.tesla_grad_beta, 7);
  });

  describe.each(["A_2step_full", "B_4step_batch2"] as const)("of a ConvNet, %s", (name) => {
    const { trajectory, synthetic } = student(engine, schedules[name]);

    test("without penalty", () => {
      const expected = convolutional[name];
      const exact = trajectoryGradient(trajectory, synthetic);
      expect(exact.value.item()).toBeCloseTo(expected.loss, 7);
      expect(exact.distance.item()).toBe(exact.value.item());
      expect(trajectoryLoss(trajectory, synthetic).item()).toBeCloseTo(expected.loss, 7);
      expectSummary(channelsFirst(exact.gradients.images), expected.full_grad_x, tolerance);
      expect(exact.gradients.stepSize.item()).toBeCloseTo(expected.full_grad_beta, 6);
      const tesla = trajectoryGradient(trajectory, synthetic, { throughPath: false });
      expectSummary(channelsFirst(tesla.gradients.images), expected.tesla_grad_x, tolerance);
      expect(tesla.gradients.stepSize.item()).toBeCloseTo(expected.tesla_grad_beta, 6);
    });

    test.each([0.002, 0.2] as const)("with a penalty of weight %d", (weight) => {
      const expected = penalized[`${name}_lam${weight}`];
      const penalty = norm(weight);
      const exact = trajectoryGradient(trajectory, synthetic, { penalty });
      expect(exact.value.item()).toBeCloseTo(expected.total, 6);
      expect(exact.distance.item()).toBeCloseTo(expected.match, 7);
      expectSummary(channelsFirst(exact.gradients.images), expected.full_grad_x, tolerance);
      expect(exact.gradients.stepSize.item()).toBeCloseTo(expected.full_grad_beta, 6);
      const tesla = trajectoryGradient(trajectory, synthetic, { penalty, throughPath: false });
      expectSummary(channelsFirst(tesla.gradients.images), expected.tesla_sdc_grad_x, tolerance);
    });
  });
});

/** Softmax regression on pixels. */
function linearClassifier(): Network {
  const embed = (x: Tensor): Tensor => x.reshape([x.shape[0]!, 4]);
  const classify: Network["classify"] = ([weight, bias], x) => x.matMul(weight!.transpose()).add(bias!);
  return {
    name: "linear",
    imageShape: [1, 1, 4],
    classes: 3,
    width: 4,
    channels: 4,
    largest: 4,
    flattenOrder: "chw",
    parameters: [
      { name: "linear.weight", shape: [3, 4], initial: { fanIn: 4 } },
      { name: "linear.bias", shape: [3], initial: { fanIn: 4 } },
    ],
    statistics: [],
    featureMap: (_, x) => x,
    embed: (_, x) => embed(x),
    classify,
    logits: (parameters, x) => classify(parameters, embed(x)),
  };
}

describe("equals the differentiated unroll", () => {
  const settings = [1, 2, 5].flatMap((steps) =>
    [6, 2].flatMap((batch) =>
      [true, false].flatMap((soft) => [0, 0.3].map((weight) => ({ steps, batch, soft, weight }))),
    ),
  );
  const special: (StudentSetting & { weight: number; clean?: number })[] = [
    { steps: 3, batch: 4, soft: true, weight: 0.3, clean: 0.2, augmented: true },
    { steps: 3, batch: 4, soft: false, weight: 0, clean: 0.3, augmented: true },
    { steps: 4, batch: 3, soft: true, weight: 0.3, compared: 8 },
    { steps: 12, batch: 4, soft: true, weight: 0.3, augmented: true },
    { steps: 3, batch: 5, soft: false, weight: 0, network: { norm: "batch" } },
    {
      steps: 3,
      batch: 4,
      soft: true,
      weight: 0.3,
      network: { norm: "layer", activation: "swish", pooling: "max" },
    },
  ];
  test.each<StudentSetting & { weight: number; clean?: number }>([...settings, ...special])(
    "at %o",
    (all) => {
      const { weight, clean = 0, ...setting } = all;
      const { trajectory, synthetic } = randomStudent(engine, setting);
      const options = {
        ...(weight > 0 && { penalty: norm(weight) }),
        ...(clean > 0 && { cleanPenalty: norm(clean) }),
      };
      const found = trajectoryGradient(trajectory, synthetic, options);
      const full = unrolled({ trajectory, synthetic }, options);
      expect(found.value.item()).toBeCloseTo(full.value.item(), 12);
      const { images, stepSize, labels } = found.gradients;
      const parts = [images, stepSize, ...(labels ? [labels] : [])];
      expect(parts.map(({ shape }) => shape)).toEqual(full.gradients.map(({ shape }) => shape));
      parts.forEach((part, i) => {
        const wanted = Float64Array.from(full.gradients[i]!.values());
        const largest = wanted.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
        expect(largest).toBeGreaterThan(1e-4);
        expectClose(
          part.div(largest).values(),
          wanted.map((v) => v / largest),
          1e-10,
        );
      });
    },
  );

  test("also where the network takes few images at once", () => {
    const { trajectory, synthetic } = randomStudent(engine, { steps: 3, batch: 5, soft: true });
    const chunked = { ...trajectory, network: { ...trajectory.network, largest: 2 ** 26 / 2 } };
    const options = { penalty: norm(0.3) };
    const [whole, parts] = [trajectory, chunked].map((by) => trajectoryGradient(by, synthetic, options));
    expect(parts!.value.item()).toBeCloseTo(whole!.value.item(), 13);
    expectClose(parts!.gradients.images.values(), whole!.gradients.images.values(), 1e-13);
    expectClose(parts!.gradients.labels!.values(), whole!.gradients.labels!.values(), 1e-13);
  });
});

test("one step has no path, and a student that stays has loss 1", () => {
  const { trajectory, synthetic } = randomStudent(engine, { steps: 1, batch: 6, soft: false });
  const [exact, tesla] = [true, false].map((throughPath) =>
    trajectoryGradient(trajectory, synthetic, { throughPath }),
  );
  expect(tesla!.gradients.images.values()).toEqual(exact!.gradients.images.values());
  const still = trajectoryGradient(trajectory, { ...synthetic, stepSize: engine.fill([1], 0) });
  expect(still.value.item()).toBe(1);
});

test("a target at the start is refused", () => {
  const { trajectory, synthetic } = randomStudent(engine, { steps: 1, batch: 6, soft: false });
  expect(() => trajectoryGradient({ ...trajectory, target: trajectory.start }, synthetic)).toThrow(
    "trajectoryDistance: expected a target away from the start, got a squared distance of 0",
  );
});

describeEngines(candidates, (on) => {
  test("reference numbers come out", () => {
    const { trajectory, synthetic } = student(on, schedules.B_4step_batch2);
    const { value, gradients } = trajectoryGradient(trajectory, synthetic);
    const accuracy = on.dtype === "float64" ? tolerance : 1e-5;
    const expected = convolutional.B_4step_batch2;
    expect(Math.abs(value.item() - expected.loss)).toBeLessThan(accuracy);
    expectSummary(channelsFirst(gradients.images), expected.full_grad_x, accuracy);
    expect(Math.abs(gradients.stepSize.item() - expected.full_grad_beta)).toBeLessThan(10 * accuracy);
  });

  test("each step keeps its parameters, and nothing else", () => {
    const counts: number[] = [];
    const counting: Penalty = (gradient) => {
      counts.push(on.liveTensors());
      return norm(0.1)(gradient);
    };
    const live = [4, 5].map((steps) => {
      const { trajectory, synthetic } = randomStudent(on, { steps, batch: 4, soft: true });
      const before = on.liveTensors();
      counts.length = 0;
      const { value, distance, gradients } = trajectoryGradient(trajectory, synthetic, { penalty: counting });
      expect(on.liveTensors()).toBe(before + 5);
      [value, distance, ...Object.values(gradients)].forEach((tensor) => tensor!.dispose());
      expect(on.liveTensors()).toBe(before);
      // At the last step, loss and distance are still one tensor; at the first, no Hessian is taken.
      expect(new Set(counts.slice(1, -1)).size).toBe(1);
      return counts[1]! - before;
    });
    const parameters = randomStudent(on, { steps: 1, batch: 4, soft: false }).trajectory.start.length;
    expect(live[1]! - live[0]!).toBe(parameters);
  });
});
