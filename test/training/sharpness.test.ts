import { afterAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { seeded } from "../../src/core/rng.ts";
import type { Tensor } from "../../src/engines/index.ts";
import { convNet, initialTensors, type Network, type Parameters } from "../../src/networks/index.ts";
import { freshModel } from "../../src/training/model.ts";
import { type Batch, dot, lossGradient } from "../../src/training/parameterGradient.ts";
import { sharpnessGradient, type SharpnessOptions } from "../../src/training/sharpness.ts";
import { finished, train } from "../../src/training/train.ts";
import { tensorData } from "../../src/training/trainingData.ts";
import {
  channelsFirst,
  chirpImages,
  chirpParameters,
  expectNear,
  expectSummary,
  reference,
  type Summary,
} from "../networks/chirp.ts";
import { expectClose } from "../support/close.ts";
import { describeEngines, engines, exactEngine } from "../support/engines.ts";

const { case5_gsam: expected } = reference<{
  case5_gsam: { a: { loss: number; g: Summary; theta1: Summary }; b: { theta1: Summary } };
}>("tm.json");

const candidates = await engines();
const engine = exactEngine(candidates)!;
afterAll(() => candidates.forEach((candidate) => candidate.engine?.close()));

// Reference numbers have 8 digits.
const tolerance = 1e-7;

const task = { imageShape: [8, 8, 3], classes: 3 } as const;
const network = convNet({ depth: 2, width: 4 }, task);
const normed = convNet({ depth: 2, width: 4, norm: "batch" }, task);
const labels = Int32Array.of(0, 0, 1, 1, 2, 2);
const images = chirpImages(engine, "syn", [6, 8, 8, 3]);
const theta = chirpParameters(engine, network);
const batch: Batch = { images, labels };
const flat = (tensors: readonly Tensor[]): number[] => tensors.flatMap(channelsFirst);

describe("one step agrees with the authors' code", () => {
  test("at ρ = 0.5, where the two gradients part", () => {
    const { value, gradients } = sharpnessGradient(network, theta, batch, {
      rho: 0.5,
      alpha: 0.3,
      adaptive: true,
    });
    expectNear([value.item()], [expected.a.loss], tolerance);
    expectSummary(flat(gradients), expected.a.g, tolerance);
    expectSummary(
      flat(theta.map((value, i) => value.sub(gradients[i]!.mul(0.01)))),
      expected.a.theta1,
      tolerance,
    );
  });

  test("in training, with weight decay of the parameters as they are", () => {
    const options = {
      epochs: 1,
      batchSize: 6,
      learningRate: 0.01,
      momentum: 0,
      weightDecay: 5e-3,
      drops: { afterEpochs: [], factor: 1 },
      augmentation: [],
      sharpness: { rho: 0.01, alpha: 0.3, adaptive: true },
    };
    const model = finished(
      train({ network, parameters: theta, statistics: [] }, tensorData(images, labels), options, seeded(0)),
    );
    expectSummary(flat(model.parameters), expected.b.theta1, tolerance);
  });
});

const norm = (gradient: readonly Tensor[]): number => Math.sqrt(dot(gradient, gradient).item());
const gradientAt = (at: Parameters): readonly Tensor[] => lossGradient(network, at, batch).gradients;

describe("laws", () => {
  const options: fc.Arbitrary<SharpnessOptions> = fc.record({
    rho: fc.double({ min: 0.01, max: 1, noNaN: true }),
    alpha: fc.double({ min: 0, max: 2, noNaN: true }),
    adaptive: fc.boolean(),
  });
  const plain = gradientAt(theta);

  /** The parameters ρ up the slope, by host numbers. */
  function climbed({ rho, adaptive }: SharpnessOptions): Parameters {
    const weight = (values: readonly number[]): number[] => values.map((one) => (adaptive ? one * one : 1));
    const slopes = plain.map((one) => Array.from(one.values()));
    const values = theta.map((one) => Array.from(one.values()));
    const length = Math.sqrt(
      values.flatMap((one, i) => weight(one).map((w, k) => w * slopes[i]![k]! ** 2)).reduce((a, b) => a + b),
    );
    return theta.map((one, i) =>
      engine.tensor(
        one.shape,
        values[i]!.map((x, k) => x + (rho * weight(values[i]!)[k]! * slopes[i]![k]!) / length),
      ),
    );
  }

  test("without α it is SAM: the gradient ρ up the slope", () => {
    fc.assert(
      fc.property(options, (given) => {
        const sam = { ...given, alpha: 0 };
        const { gradients } = sharpnessGradient(network, theta, batch, sam);
        expectClose(flat(gradients), flat(gradientAt(climbed(sam))), 1e-9);
      }),
      { seed: 1, numRuns: 10 },
    );
  });

  test("α takes nothing from the gradient up the slope but what lies across it", () => {
    fc.assert(
      fc.property(options, (given) => {
        const { gradients } = sharpnessGradient(network, theta, batch, given);
        const sharp = gradientAt(climbed(given));
        const added = gradients.map((one, i) => one.sub(sharp[i]!));
        const across = Math.sqrt(norm(plain) ** 2 - (dot(plain, sharp).item() / norm(sharp)) ** 2);
        expect(dot(added, sharp).item()).toBeCloseTo(0, 8);
        expect(norm(added)).toBeCloseTo(given.alpha * across, 6);
      }),
      { seed: 2, numRuns: 10 },
    );
  });

  test("as ρ goes to 0 it becomes the plain gradient", () => {
    const distance = (rho: number): number => {
      const { gradients } = sharpnessGradient(network, theta, batch, { rho, alpha: 0.3, adaptive: true });
      return norm(gradients.map((one, i) => one.sub(plain[i]!)));
    };
    expect(distance(1e-4)).toBeLessThan(0.02);
    expect(distance(1e-5)).toBeLessThan(0.2 * distance(1e-4));
    expect(distance(1e-5)).toBeGreaterThan(0);
  });
});

test("running statistics follow the first pass alone, and nothing is left behind", () => {
  const start = freshModel(normed, engine, seeded(3));
  const after = (rho: number): number[] =>
    engine.scope(() => {
      const update = { statistics: start.statistics };
      const mode = { use: "batch", update } as const;
      sharpnessGradient(normed, start.parameters, { ...batch, mode }, { rho, alpha: 0.3, adaptive: false });
      return flat(update.statistics);
    });
  const update = { statistics: start.statistics };
  normed.logits(start.parameters, images, { use: "batch", update });
  const live = engine.liveTensors();
  expect(after(0.5)).toEqual(flat(update.statistics));
  expect(engine.liveTensors()).toBe(live);
});

test("mini-batches larger than the network takes at once give the same", () => {
  const narrow: Network = { ...network, largest: 2 ** 25 };
  const options = { rho: 0.5, alpha: 0.3, adaptive: true };
  const whole = sharpnessGradient(network, theta, batch, options);
  const parts = sharpnessGradient(narrow, theta, batch, options);
  expectClose(flat(parts.gradients), flat(whole.gradients), 1e-12);
  expect(parts.value.item()).toBeCloseTo(whole.value.item(), 12);
});

describeEngines(candidates, (one) => {
  test("is the same on each engine", () => {
    const parameters = initialTensors(network.parameters, one, seeded(4));
    const own = { images: chirpImages(one, "syn", [6, 8, 8, 3]), labels };
    const options = { rho: 0.05, alpha: 0.3, adaptive: true };
    const { gradients } = sharpnessGradient(network, parameters, own, options);
    const exact = sharpnessGradient(
      network,
      parameters.map((x) => engine.tensor(x.shape, Float64Array.from(x.values()))),
      batch,
      options,
    );
    expectClose(flat(gradients), flat(exact.gradients), 1e-4);
  });
});
