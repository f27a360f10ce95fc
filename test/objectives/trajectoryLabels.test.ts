import { afterAll, describe, expect, test } from "@jest/globals";
import { sizeOf } from "../../src/core/shape.ts";
import type { Tensor } from "../../src/engines/index.ts";
import { backboneSize, frozenBackbone } from "../../src/networks/frozenBackbone.ts";
import { trajectoryGradient } from "../../src/objectives/trajectoryGradient.ts";
import {
  channelsFirst,
  chirp,
  expectNear,
  expectSummary,
  reference,
  type Summary,
} from "../networks/chirp.ts";
import { engines, exactEngine } from "../support/engines.ts";
import { schedules, student } from "./referenceStudent.ts";

interface Unrolled {
  loss: number;
  full_grad_x: Summary;
  full_grad_L: number[][];
  full_grad_beta: number;
  tesla_grad_x: Summary;
  tesla_grad_L: number[][];
}

const { case4_soft_labels: softLabels } = reference<{
  case4_soft_labels: Record<"soft" | "weighted", Unrolled> & {
    lad: {
      classifier_start: number;
      rep_loss_backbone_only: number;
      rep_grad_x: Summary;
      rep_grad_L: number[][];
      cls_loss_frozen_backbone: number;
      cls_grad_x: Summary;
      cls_grad_L: number[][];
    };
  };
}>("tm.json");

const candidates = await engines();
const engine = exactEngine(candidates)!;
afterAll(() => candidates.forEach((candidate) => candidate.engine?.close()));

// Reference numbers have 8 digits.
const tolerance = 1e-7;

describe("labels that are a softmax of what is learned, against reference numbers,", () => {
  const { trajectory, synthetic } = student(engine, schedules.B_4step_batch2);
  const logits = engine.tensor(
    [6, 3],
    chirp(18, 0.8, 0.02, 0.5).map((v) => 2 * v),
  );
  /** The synthetic set, and what takes a gradient in its labels to the logits. */
  const labelled = (weights: readonly number[]) => {
    const labelsAt = (at: Tensor): Tensor =>
      at
        .logSoftmax()
        .exp()
        .mul(engine.tensor([3], weights));
    return {
      lesson: { ...synthetic, labels: labelsAt(logits) },
      throughSoftmax: (gradient: Tensor): ArrayLike<number> =>
        engine.gradients((at) => labelsAt(at!).mul(gradient).sum(), [logits]).gradients[0]!.values(),
    };
  };

  test.each([
    ["soft", [1, 1, 1]],
    ["weighted", [0.7, 0.2, 0.1]],
  ] as const)("%s", (name, weights) => {
    const { lesson, throughSoftmax } = labelled(weights);
    const expected = softLabels[name];
    const exact = trajectoryGradient(trajectory, lesson);
    expect(exact.value.item()).toBeCloseTo(expected.loss, 7);
    expectSummary(channelsFirst(exact.gradients.images), expected.full_grad_x, tolerance);
    expectNear(throughSoftmax(exact.gradients.labels!), expected.full_grad_L.flat(), tolerance);
    expect(exact.gradients.stepSize.item()).toBeCloseTo(expected.full_grad_beta, 6);
    const tesla = trajectoryGradient(trajectory, lesson, { throughPath: false });
    expectSummary(channelsFirst(tesla.gradients.images), expected.tesla_grad_x, tolerance);
    expectNear(throughSoftmax(tesla.gradients.labels!), expected.tesla_grad_L.flat(), tolerance);
  });

  test("of LAD's student whose backbone is compared", () => {
    const { lad: expected } = softLabels;
    const { network } = trajectory;
    const compared = backboneSize(network);
    const scalars = network.parameters.slice(0, compared).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    expect(scalars).toBe(expected.classifier_start);
    const { lesson, throughSoftmax } = labelled([0.7, 0.2, 0.1]);
    const { value, gradients } = trajectoryGradient({ ...trajectory, compared }, lesson);
    expect(value.item()).toBeCloseTo(expected.rep_loss_backbone_only, 7);
    expectSummary(channelsFirst(gradients.images), expected.rep_grad_x, tolerance);
    expectNear(throughSoftmax(gradients.labels!), expected.rep_grad_L.flat(), tolerance);
  });

  test("of LAD's student whose classifier alone is trained", () => {
    const { lad: expected } = softLabels;
    const { network, start, target } = trajectory;
    const size = backboneSize(network);
    const frozen = {
      ...trajectory,
      network: frozenBackbone(network, start.slice(0, size)),
      start: start.slice(size),
      target: target.slice(size),
    };
    const { lesson, throughSoftmax } = labelled([1, 1, 1]);
    const { value, gradients } = trajectoryGradient(frozen, lesson);
    expect(value.item()).toBeCloseTo(expected.cls_loss_frozen_backbone, 7);
    expectSummary(channelsFirst(gradients.images), expected.cls_grad_x, tolerance);
    expectNear(throughSoftmax(gradients.labels!), expected.cls_grad_L.flat(), tolerance);
  });
});
