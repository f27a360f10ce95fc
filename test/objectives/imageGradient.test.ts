import { afterAll, describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { type Shape, sizeOf } from "../../src/core/shape.ts";
import type { Engine, Tensor } from "../../src/engines/index.ts";
import { type GradientDistanceName, gradientDistances } from "../../src/losses/gradientDistance.ts";
import { convNet, type ConvNetOptions, initialTensors, type Network } from "../../src/networks/index.ts";
import {
  directionalGradients,
  imageGradient,
  type Match,
  penalizedMatch,
} from "../../src/objectives/imageGradient.ts";
import {
  type Batch,
  parameterGradient,
  differentiableGradient,
} from "../../src/training/parameterGradient.ts";
import type { GradientPenalty } from "../../src/objectives/objective.ts";
import { sgd } from "../../src/optimizers/sgd.ts";
import {
  channelsFirst,
  chirpImages,
  chirpParameters,
  expectSummary,
  reference,
  type Summary,
} from "../networks/chirp.ts";
import { expectClose } from "../support/close.ts";
import { describeEngines, engines, exactEngine } from "../support/engines.ts";

interface Matched {
  loss: number;
  dD_dxsyn: Summary;
}

const { case4_dc_sdc: single, case5_dcc: collective } = reference<{
  case4_dc_sdc: Record<GradientDistanceName, Matched> &
    Record<`R_l2_all${string}` | "R_sum_per_tensor_l2", { value: number; dR_dxsyn: Summary }> & {
      "ours_plus_0.02_l2_all": { loss: number; dL_dxsyn: Summary };
      three_img_updates: { losses: number[]; xsyn_after: Summary };
    };
  case5_dcc: {
    collective: Matched & { grad_norm_syn_l2_all: number };
    classwise_sum: Matched & { per_class: number[]; grad_norm_syn_per_class: number[] };
  };
}>("gm.json");

const candidates = await engines();
const engine = exactEngine(candidates)!;
afterAll(() => candidates.forEach((candidate) => candidate.engine?.close()));

// Reference numbers have 9 digits.
const tolerance = 1e-8;
const { ours } = gradientDistances;
const names = Object.keys(gradientDistances) as GradientDistanceName[];

const squaredNorm = (part: Tensor): Tensor => part.square().sum();
const total = (terms: readonly Tensor[]): Tensor => terms.reduce((sum, term) => sum.add(term));
const l2: GradientPenalty = (gradient) => total(gradient.map(squaredNorm)).sqrt();
const zero: Match = (gradient) => ({
  value: gradient[0]!.engine.fill([], 0),
  direction: gradient.map((part) => part.mul(0)),
});

/** Case 4: four real and two synthetic images of label 3 under a network of width 8. */
function case4(on: Engine): { network: Network; theta: Tensor[]; batch: Batch; real: readonly Tensor[] } {
  const network = convNet({ width: 8 }, { imageShape: [32, 32, 3], classes: 10 });
  const theta = chirpParameters(on, network);
  const images = chirpImages(on, "real", [4, 32, 32, 3]);
  const real = parameterGradient(network, theta, { images, labels: Int32Array.of(3, 3, 3, 3) });
  return {
    network,
    theta,
    real,
    batch: { images: chirpImages(on, "syn", [2, 32, 32, 3]), labels: Int32Array.of(3, 3) },
  };
}

describe("against the authors' code", () => {
  const { network, theta, batch, real } = case4(engine);
  const at = (match: Match): ReturnType<typeof imageGradient> => imageGradient(network, theta, batch, match);

  test.each(names)("value and image gradient of %s agree", (name) => {
    const { value, gradient } = at((g) => gradientDistances[name].match(real, g));
    expect(value.item() / single[name].loss).toBeCloseTo(1, 8);
    expectSummary(channelsFirst(gradient), single[name].dD_dxsyn, tolerance);
  });

  test.each<[keyof typeof single & `R_${string}`, GradientPenalty]>([
    ["R_l2_all", l2],
    ["R_l2_all_squared", (gradient) => total(gradient.map(squaredNorm))],
    ["R_sum_per_tensor_l2", (gradient) => total(gradient.map((part) => squaredNorm(part).add(1e-24).sqrt()))],
    [
      "R_l2_weights_only(ndim>1)" as "R_l2_all",
      (gradient) =>
        l2(
          gradient.filter(({ shape }) => shape.length > 1),
          0,
        ),
    ],
  ])("the penalty %s agrees", (name, penalty) => {
    const { value, gradient } = at(penalizedMatch(zero, penalty, 0));
    expect(value.item() / single[name].value).toBeCloseTo(1, 8);
    expectSummary(channelsFirst(gradient), single[name].dR_dxsyn, tolerance);
  });

  test("a penalty adds to a distance", () => {
    const expected = single["ours_plus_0.02_l2_all"];
    const match = penalizedMatch(
      (g) => ours.match(real, g),
      (g, step) => l2(g, step).mul(0.02),
      0,
    );
    const { value, gradient } = at(match);
    expect(value.item()).toBeCloseTo(expected.loss, 6);
    expectSummary(channelsFirst(gradient), expected.dL_dxsyn, tolerance);
  });

  test("three updates of the images agree", () => {
    const optimizer = sgd({ learningRate: 0.1, momentum: 0.5, weightDecay: 0 });
    let { images } = batch;
    let state = optimizer.init(images);
    for (const expected of single.three_img_updates.losses) {
      const found = imageGradient(network, theta, { ...batch, images }, (g) => ours.match(real, g));
      expect(found.value.item()).toBeCloseTo(expected, 6);
      ({ value: images, state } = optimizer.update(images, found.gradient, state));
    }
    expectSummary(channelsFirst(images), single.three_img_updates.xsyn_after, tolerance);
  });

  describe("three classes", () => {
    const three = convNet({ width: 8 }, { imageShape: [32, 32, 3], classes: 3 });
    const weights = chirpParameters(engine, three);
    const all = {
      real: chirpImages(engine, "real", [9, 32, 32, 3]),
      syn: chirpImages(engine, "syn", [6, 32, 32, 3]),
    };
    const labels = (each: number): Int32Array =>
      Int32Array.from({ length: 3 * each }, (_, i) => Math.floor(i / each));

    test("match together", () => {
      const target = parameterGradient(three, weights, { images: all.real, labels: labels(3) });
      const batch = { images: all.syn, labels: labels(2) };
      const { value, gradient } = imageGradient(three, weights, batch, (g) => ours.match(target, g));
      const { loss, dD_dxsyn, grad_norm_syn_l2_all } = collective.collective;
      expect(value.item()).toBeCloseTo(loss, 6);
      expectSummary(channelsFirst(gradient), dD_dxsyn, tolerance);
      expect(l2(parameterGradient(three, weights, batch), 0).item()).toBeCloseTo(grad_norm_syn_l2_all, 7);
    });

    test("match one by one", () => {
      const { per_class, dD_dxsyn } = collective.classwise_sum;
      const gradients = per_class.map((loss, label) => {
        const part = (images: Tensor, count: number): Batch => ({
          images: images.slice([label * count, 0, 0, 0], [count, 32, 32, 3]),
          labels: new Int32Array(count).fill(label),
        });
        const target = parameterGradient(three, weights, part(all.real, 3));
        const found = imageGradient(three, weights, part(all.syn, 2), (g) => ours.match(target, g));
        expect(found.value.item()).toBeCloseTo(loss, 6);
        return found.gradient;
      });
      expectSummary(channelsFirst(engine.concat(gradients)), dD_dxsyn, tolerance);
    });
  });
});

describeEngines(candidates, (on) => {
  test("reference numbers come out", () => {
    const { network, theta, batch, real } = case4(on);
    const { value, gradient } = imageGradient(network, theta, batch, (g) => ours.match(real, g));
    const accuracy = on.dtype === "float64" ? 1e-8 : 1e-4;
    expect(Math.abs(value.item() - single.ours.loss)).toBeLessThan(accuracy * single.ours.loss);
    expectSummary(channelsFirst(gradient), single.ours.dD_dxsyn, accuracy);
  });

  test("nothing but the result stays alive", () => {
    const { network, theta, batch, real } = case4(on);
    const before = on.liveTensors();
    const match = penalizedMatch((g) => ours.match(real, g), l2, 0);
    for (let i = 0; i < 3; i++) {
      const found = imageGradient(network, theta, batch, match);
      expect(on.liveTensors()).toBe(before + 3);
      for (const tensor of Object.values(found) as Tensor[]) tensor.dispose();
    }
    parameterGradient(network, theta, batch).forEach((part) => part.dispose());
    expect(on.liveTensors()).toBe(before);
  });
});

/** Seven random images of a small task under a network of its own. */
function toy(options: Partial<ConvNetOptions>): {
  network: Network;
  theta: Tensor[];
  images: Tensor;
  soft: Tensor;
  real: Tensor[];
} {
  const network = convNet({ depth: 2, width: 4, ...options }, { imageShape: [8, 8, 3], classes: 3 });
  const rng = seeded(3);
  const random = (shape: Shape): Tensor =>
    engine.tensor(shape, rng.fillNormal(new Float64Array(sizeOf(shape))));
  return {
    network,
    theta: initialTensors(network.parameters, engine, rng),
    images: random([7, 8, 8, 3]),
    soft: random([7, 3]).logSoftmax().exp(),
    real: network.parameters.map(({ shape }) => random(shape)),
  };
}

const hard = Int32Array.of(0, 2, 1, 1, 0, 2, 2);
const architectures: [string, Partial<ConvNetOptions>][] = [
  ["instance norm, ReLU, average pooling", {}],
  ["layer norm, swish, max pooling", { norm: "layer", activation: "swish", pooling: "max" }],
  ["group norm, sigmoid, no pooling", { norm: "group", activation: "sigmoid", pooling: "none" }],
  ["batch norm", { norm: "batch" }],
  ["no norm", { norm: "none", activation: "leakyRelu" }],
];

describe.each(architectures)("under %s", (_, options) => {
  const { network, theta, images, soft, real } = toy(options);
  const labelings: [string, Int32Array | Tensor][] = [
    ["hard", hard],
    ["soft", soft],
  ];
  const cases = names.flatMap((name) => labelings.map(([kind, labels]) => [name, kind, labels] as const));

  test.each(cases)(
    "the gradient of %s with %s labels is that of double differentiation",
    (name, _kind, labels) => {
      const { value, match } = gradientDistances[name];
      const full = engine.gradients(
        (x) => {
          const gradient = differentiableGradient(network, theta, { images: x!, labels });
          return value(real, gradient).add(l2(gradient, 0).mul(0.3));
        },
        [images],
      );
      const penalty: GradientPenalty = (g, step) => l2(g, step).mul(0.3);
      const found = imageGradient(
        network,
        theta,
        { images, labels },
        penalizedMatch((g) => match(real, g), penalty, 0),
      );
      expect(found.value.item()).toBeCloseTo(full.value.item(), 12);
      expectClose(found.gradient.values(), full.gradients[0]!.values(), 1e-10);
    },
  );

  test("directional gradients in images, soft labels and parameters are those of double differentiation", () => {
    const full = engine.gradients(
      (x, y, ...parameters) => {
        const gradient = differentiableGradient(network, parameters, { images: x!, labels: y! });
        return total(gradient.map((part, i) => part.mul(real[i]!).sum()));
      },
      [images, soft, ...theta],
    );
    const found = directionalGradients(
      network,
      theta,
      { images, labels: soft },
      { direction: real, hessian: true },
    );
    [found.images, found.labels!, ...found.parameters].forEach((part, i) => {
      expectClose(part.values(), full.gradients[i]!.values(), 1e-10);
    });
  });
});

describe("many images", () => {
  const { network, theta, images, soft, real } = toy({});
  /** The same network in chunks of three images. */
  const chunked: Network = { ...network, largest: 2 ** 26 / 3 };
  const match: Match = penalizedMatch((g) => ours.match(real, g), l2, 0);

  test.each<[string, Int32Array | Tensor]>([
    ["hard", hard],
    ["soft", soft],
  ])("come out the same in chunks, with %s labels", (_, labels) => {
    const batch = { images, labels };
    const whole = parameterGradient(network, theta, batch);
    parameterGradient(chunked, theta, batch).forEach((part, i) => {
      expectClose(part.values(), whole[i]!.values(), 1e-14);
    });
    const [one, many] = [network, chunked].map((by) => imageGradient(by, theta, batch, match));
    expect(many!.value.item()).toBeCloseTo(one!.value.item(), 13);
    expectClose(many!.gradient.values(), one!.gradient.values(), 1e-13);
    const [two, more] = [network, chunked].map((by) =>
      directionalGradients(by, theta, batch, { direction: real, hessian: true }),
    );
    expectClose(more!.images.values(), two!.images.values(), 1e-13);
    expect(more!.labels === undefined).toBe(labels === hard);
    if (labels === soft) expectClose(more!.labels!.values(), two!.labels!.values(), 1e-13);
    more!.parameters.forEach((part, i) => expectClose(part.values(), two!.parameters[i]!.values(), 1e-13));
  });

  test("stay together where batch norm ties them, and part where its statistics are frozen", () => {
    const tied = toy({ norm: "batch" });
    const statistics = initialTensors(tied.network.statistics, engine, seeded(0));
    const parts: Network = { ...tied.network, largest: 2 ** 26 / 3 };
    for (const mode of [{ use: "batch" }, { use: "running", statistics }] as const) {
      const batch: Batch = { images: tied.images, labels: hard, mode };
      const whole = parameterGradient(tied.network, tied.theta, batch);
      parameterGradient(parts, tied.theta, batch).forEach((part, i) => {
        expectClose(part.values(), whole[i]!.values(), 1e-14);
      });
    }
  });
});

test("the parameter gradient is a constant, even while gradients are taken", () => {
  const { network, theta, images } = toy({});
  const { gradients } = engine.gradients(
    (x) =>
      x!
        .sum()
        .add(
          total(parameterGradient(network, theta, { images: x!, labels: hard }).map((part) => part.sum())),
        ),
    [images],
  );
  expect(new Set(gradients[0]!.values())).toEqual(new Set([1]));
});
