import { afterAll, describe, expect, test } from "@jest/globals";
import type { z } from "zod";
import { seeded } from "../../src/core/rng.ts";
import { begin, type Distillation } from "../../src/distillers/distill.ts";
import type { Tensor } from "../../src/engines/index.ts";
import { distillationOf } from "../../src/index.ts";
import { backboneSize } from "../../src/networks/frozenBackbone.ts";
import { countWeights, lad, ladOptions } from "../../src/objectives/lad.ts";
import { initialLogits, softmaxLabels } from "../../src/objectives/learnedLabels.ts";
import { type Descent, descent, type Learned, type Objective } from "../../src/objectives/objective.ts";
import type { TrajectoryDraw } from "../../src/objectives/segments.ts";
import { trajectoryLoss } from "../../src/objectives/trajectory.ts";
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

type Options = z.input<typeof ladOptions>;
const ladOf = (options: Options = {}): Objective =>
  lad(smallOptions(ladOptions.parse({ gradient: "exact", ...options })));

/** The first step, from noise, of labels that differ from image to image. */
function firstStep(options: Options = {}): {
  readonly objective: Objective;
  readonly learned: Learned;
  readonly draw: TrajectoryDraw;
  readonly found: Descent;
} {
  const objective = ladOf({ initialImages: "run", ...options });
  const optimizer = sgd({ learningRate: 1, momentum: 0.5, weightDecay: 0 });
  const run: Distillation = { source, objective, optimizer, steps: 1, rng: seeded(2) };
  const { learned: begun, state } = begin(run, noise());
  const labelLogits = engine.tensor([6, 3], seeded(6).fillNormal(new Float64Array(18)));
  const learned = { ...begun, labelLogits };
  const draw = objective.draw(source, seeded(7), { step: 0, state }) as TrajectoryDraw;
  return { objective, learned, draw, found: descent(objective, learned, draw) };
}

const valueOf = ({ metrics }: Descent, name: string): number => metrics![name]!.item();

describe("the weights of the classes", () => {
  test("are their shares of the real images, more alike the larger the offset", () => {
    expectClose(countWeights([50, 30, 20], 0), [0.5, 0.3, 0.2], 1e-12);
    expectClose(countWeights([50, 30, 20], 100), [0.75, 0.65, 0.6], 1e-12);
    expectClose(countWeights([7, 7, 7, 7], 0), [0.25, 0.25, 0.25, 0.25], 1e-12);
  });

  test.each([
    [{}, [9 / 18, 6 / 18, 3 / 18]],
    [{ countOffset: 2 }, [11 / 20, 8 / 20, 5 / 20]],
    [{ classWeights: "none" }, [1, 1, 1]],
  ] as const)("of %o weigh the student's loss where representations are matched", (options, weights) => {
    const { learned, draw, found } = firstStep(options);
    const labels = softmaxLabels(learned).mul(engine.tensor([3], weights));
    const [segment] = draw.segments;
    const synthetic = { images: learned.images, labels, stepSize: learned.stepSize! };
    const expected = trajectoryLoss({ ...segment!, compared: backboneSize(source.network) }, synthetic);
    expect(valueOf(found, "representations")).toBeCloseTo(expected.item(), 12);
  });
});

describe("the classifier's student", () => {
  const { learned, draw, found } = firstStep();
  const segment = draw.segments[1]!;

  test("has the parameters of the classifier alone, and a plain soft loss", () => {
    expect(segment.network.parameters.map(({ name }) => name)).toEqual(["linear.weight", "linear.bias"]);
    expect(segment.start.map(({ shape }) => shape)).toEqual(
      source.network.parameters.slice(-2).map(({ shape }) => shape),
    );
    const synthetic = {
      images: learned.images,
      labels: softmaxLabels(learned),
      stepSize: learned.stepSize!,
    };
    expect(valueOf(found, "classifiers")).toBeCloseTo(trajectoryLoss(segment, synthetic).item(), 12);
  });

  test("starts where the expert's training of it starts, by default", () => {
    const { classifier, classifierExperts, experts } = ladOptions.parse({});
    expect(classifier.startEpochs).toEqual({ min: 0, max: 1 });
    expect([classifierExperts.epochs, classifier.expertEpochs]).toEqual([10, 2]);
    expect([experts.epochs, experts.weightDecay]).toEqual([100, 5e-3]);
  });
});

describe("the weights of the matchings", () => {
  const weightsOf = (representationWeight: number, weight: number): Options => ({
    representationWeight,
    classifier: { weight },
  });
  const { found } = firstStep(weightsOf(1, 1));
  const parts = ["representations", "classifiers"].map((name) => valueOf(found, name));

  test("weigh their losses", () => {
    expect(new Set(parts).size).toBe(2);
    const weighted = firstStep(weightsOf(0.5, 3)).found;
    const expected = 0.5 * parts[0]! + 3 * parts[1]!;
    expect(weighted.value.item()).toBeCloseTo(expected, 12);
    expect(valueOf(weighted, "distance")).toBeCloseTo(expected, 12);
    expect(valueOf(weighted, "classifiers")).toBeCloseTo(parts[1]!, 12);
  });

  test("weigh their gradients, which are added up", () => {
    const [both, first, second] = [weightsOf(1, 1), weightsOf(3, 1), weightsOf(1, 4)].map(
      (options) => firstStep(options).found.gradients,
    );
    for (const name of ["images", "labelLogits", "stepSize"]) {
      const ofFirst = first![name]!.sub(both![name]!).div(2);
      const ofSecond = second![name]!.sub(both![name]!).div(3);
      expectClose(ofFirst.add(ofSecond).values(), both![name]!.values(), 1e-10);
      expect(ofSecond.square().sum().item()).toBeGreaterThan(0);
    }
  });

  test("leave one of them out at 0, with what it needs", () => {
    const names = ({ preparations }: Objective): string[] => preparations!.map(({ name }) => name);
    expect(names(firstStep().objective)).toEqual(["experts", "classifierExperts"]);
    const aligned = firstStep({ representationWeight: 1, classifier: { weight: 0 } });
    expect(names(aligned.objective)).toEqual(["experts"]);
    expect(aligned.found.metrics).not.toHaveProperty("classifiers");
    expect(aligned.found.value.item()).toBeCloseTo(parts[0]!, 12);
    const decoupled = firstStep({ representationWeight: 0 });
    expect(names(decoupled.objective)).toEqual(["classifierExperts"]);
    expect(decoupled.objective.preparations![0]!.needs!.map(({ name }) => name)).toEqual(["experts"]);
    expect(decoupled.found.metrics).not.toHaveProperty("representations");
  });

  test("cannot both be 0", () => {
    expect(() => ladOf(weightsOf(0, 0))).toThrow(
      /lad: expected objective.representationWeight or objective.classifier.weight above 0, got 0 for both/,
    );
  });
});

describe("the start", () => {
  const startOf = (objective: Objective): Learned => {
    const { images, learned } = objective.begin!(source, seeded(2), noise());
    return { images: images!, ...learned };
  };

  test("is by the verdicts of the classifiers that were trained on", () => {
    const objective = ladOf();
    const [ofExperts, ofClassifiers] = objective.preparations!;
    const { images, labelLogits } = startOf(objective);
    const [whole, trainedOn] = [ofExperts!, ofClassifiers!].map((experts) =>
      initialLogits(source, experts, images, "correct").values(),
    );
    expect(labelLogits!.values()).toEqual(trainedOn);
    expect(labelLogits!.values()).not.toEqual(whole);
  });

  test("or of the experts, where there are no such classifiers", () => {
    const objective = ladOf({ classifier: { weight: 0 } });
    const { images, labelLogits } = startOf(objective);
    const expected = initialLogits(source, objective.preparations![0]!, images, "correct");
    expect(labelLogits!.values()).toEqual(expected.values());
  });
});

test("its synthetic set has soft labels and a step size", () => {
  const run = distillationOf(source.real, {
    engine,
    network: { name: "convNet", depth: 1, width: 4 },
    imagesPerClass: 2,
    objective: { name: "lad", ...smallOptions(ladOptions.parse({})) },
    steps: 2,
  });
  const [first, second] = [...run];
  expect(first!.metrics).toHaveProperty("classifiers");
  expect(second!.metrics.stepSize).not.toBe(first!.metrics.stepSize);
  const { softLabels, learningRate } = run.finish();
  for (let i = 0; i < 18; i += 3) {
    expect(softLabels!.slice(i, i + 3).reduce((sum, value) => sum + value)).toBeCloseTo(1, 6);
  }
  expect(learningRate).toBeGreaterThan(0);
});
