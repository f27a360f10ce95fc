import { afterAll, describe, expect, test } from "@jest/globals";
import { type Rng, seeded } from "../../src/core/rng.ts";
import { initialImages } from "../../src/distillers/initialize.ts";
import type { Tensor } from "../../src/engines/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { crossEntropy } from "../../src/losses/crossEntropy.ts";
import { characteristicFunction, squaredDifference } from "../../src/losses/characteristic.ts";
import type { DistributionDraw } from "../../src/objectives/distribution.ts";
import { ncfm, ncfmOptions } from "../../src/objectives/ncfm.ts";
import { type Learned, type Source } from "../../src/objectives/objective.ts";
import { spectralMatching } from "../../src/objectives/spectral.ts";
import { dmCase, expectSixDigits, sampleX, sampleY, sines } from "../losses/cases.ts";
import { toySource } from "../support/toy.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

const small = { networks: { models: 2, epochs: 2, batchSize: 6 }, frequencies: 24 };
const firstStep = { step: 0, state: null };
const source = toySource(engine);
const learned: Learned = {
  images: initialImages(source, { initialization: "noise", scarcity: "error" }, seeded(1)),
};

function drawn(given: object, of: Source = source): { draw: DistributionDraw; loss: number } {
  const objective = ncfm(ncfmOptions.parse({ ...small, ...given }));
  const draw = objective.draw(of, seeded(2), firstStep);
  return { draw: draw as DistributionDraw, loss: objective.loss(learned, draw).item() };
}

test("its term has the reference value of NCFM, 300 times the distance of unit features", () => {
  const frequencies = Float32Array.from(sines([6, 5], [0.5, 0.2, 0.9]));
  let at = 0;
  // Dice that roll the case's frequencies, row by row.
  const dice = {
    stream: () => dice,
    fillNormal<T extends Float32Array | Float64Array>(target: T): T {
      target.set(frequencies.subarray(at, (at += target.length)));
      return target;
    },
  } as unknown as Rng;
  const term = spectralMatching(ncfmOptions.parse({ frequencies: 6 }));
  const one = { ...source, classes: [source.classes[0]!], network: { ...source.network, width: 5 } };
  const known = { source: one, counts: [4], picked: undefined, state: null };
  const fold = term.prepare({ ...known, networks: { parameters: [], accuracy: 0 } }, dice);
  const rows = (
    values: Float64Array,
    count: number,
  ): { classes: number[]; counts: number[]; values: Tensor } => ({
    classes: [0],
    counts: [count],
    values: engine.tensor([count, 5], values),
  });
  const [real, synthetic] = [rows(sampleX, 4), rows(sampleY, 3)];
  const loss = fold
    .comparison(fold.add(fold.start, real))
    .loss({ ...synthetic, images: synthetic.values })
    .mul(term.weight);
  const { ncfd_x300: expected } = dmCase<{ ncfd_x300: number }>("C");
  expectSixDigits([loss.item()], expected);
});

test("its loss is 300 times the mean |P − Q|/√2 of each class, and the trained network's cross-entropy", () => {
  const { draw, loss } = drawn({});
  const { network } = source;
  const { parameters, classifier } = draw.networks;
  const unit = (x: Tensor): Tensor => x.div(x.square().sum(1, true).sqrt());
  const omega = engine.tensor(
    [24, network.width],
    seeded(2)
      .stream("term/0")
      .stream("frequencies")
      .fillNormal(new Float32Array(24 * network.width)),
  );
  const losses = source.classes.map((members, label) => {
    const images = learned.images.slice([2 * label, 0, 0, 0], [2, 8, 8, 3]);
    const pixels = Float64Array.from(members).length * 192;
    const start = members[0]! * 192;
    const own = Float64Array.from(
      source.real.pixels.subarray(start, start + pixels),
      (pixel, i) => (pixel / 255 - source.real.mean[i % 3]!) / source.real.std[i % 3]!,
    );
    const real = engine.tensor([members.length, 8, 8, 3], own);
    const phi = (x: Tensor): ReturnType<typeof characteristicFunction> =>
      characteristicFunction(unit(network.embed(parameters, x)), omega);
    const matching = squaredDifference(phi(real), phi(images)).sqrt().mean().item();
    const calibration = crossEntropy(network.logits(classifier!, images), Int32Array.of(label, label)).item();
    return (300 * matching) / Math.SQRT2 + calibration;
  });
  // Half a unit in the last place of float32 is left in images and frequencies.
  expect(loss / losses.reduce((sum, one) => sum + one)).toBeCloseTo(1, 5);
});

describe("of its terms", () => {
  test("one changed leaves the others as they are", () => {
    const { terms } = ncfmOptions.parse({ terms: { crossEntropy: { weight: 0.5 } } });
    expect(terms.crossEntropy).toEqual({ weight: 0.5, judge: "trained", factor: "none" });
    const added = ncfmOptions.parse({ terms: { classCentralization: {} } }).terms;
    expect(added.crossEntropy).toEqual({ weight: 1, judge: "trained", factor: "none" });
    expect(added.classCentralization).toBeDefined();
  });

  test("calibration is left out at weight 0", () => {
    const without = { terms: { crossEntropy: { weight: 0 } } };
    expect(drawn(without).draw.comparisons).toHaveLength(1);
    expect(drawn({}).draw.comparisons).toHaveLength(2);
    expect(drawn(without).loss).toBeLessThan(drawn({}).loss);
  });
});

test("an option changed leaves the others as NCFM has them", () => {
  const { bandwidth, weighting, networks, sampling } = ncfmOptions.parse({
    bandwidth: { factor: 2 },
    weighting: { alpha: 0.7 },
    networks: { models: 3 },
    sampling: { name: "learned", hidden: 64 },
  });
  expect(bandwidth).toMatchObject({ rule: "fixed", factor: 2 });
  expect(weighting).toEqual({ name: "fixed", alpha: 0.7 });
  expect(networks).toMatchObject({ name: "pretrained", models: 3, epochs: 60 });
  expect(sampling).toEqual({ name: "learned", hidden: 64, draws: 16, learningRate: 0.001 });
});

test("weighs amplitudes and phases by class, at frequencies of any kernel", () => {
  const of = toySource(engine, { counts: [60, 20, 6] });
  const { draw } = drawn({ kernel: "laplacian", weighting: { name: "logarithmic", alphaHead: 0.7 } }, of);
  expect(draw.metrics).toMatchObject({
    alphaFirst: expect.closeTo(0.7, 12),
    alphaLast: expect.closeTo(0.3, 12),
    bandwidth: 1,
  });
});
