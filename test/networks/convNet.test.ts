import { afterAll, describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { sizeOf } from "../../src/core/shape.ts";
import type { Tensor } from "../../src/engines/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { crossEntropy } from "../../src/losses/crossEntropy.ts";
import {
  convNet,
  type ConvNetOptions,
  initialTensors,
  type Network,
  networkOf,
} from "../../src/networks/index.ts";
import {
  channelsFirst,
  chirpImages,
  chirpParameters,
  expectNear,
  expectSummary,
  reference,
  type Summary,
} from "./chirp.ts";

interface Case {
  intermediate: Record<string, Summary>;
  logits: number[][];
  ce_loss: number;
  grads: Record<string, Summary>;
}

const { case2_convnet: cases } = reference<{
  case2_convnet: Record<`variant_${string}`, number[]> & {
    W8D3_32x32x3: Case;
    W8D3_28x28x1: { logits: number[][] };
    W128D3_32x32x3: { nparams: number; logits: number[][] };
    batchnorm_freeze: { train_logits_0: number[]; running: Record<string, Summary>; eval_logits: number[][] };
  };
}>("gm.json");

// Reference numbers have 9 digits.
const tolerance = 1e-8;
const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

const color = { imageShape: [32, 32, 3], classes: 10 } as const;
const gray = { imageShape: [28, 28, 1], classes: 10 } as const;
const images = (network: Network, count: number, kind: "real" | "syn" = "real"): Tensor =>
  chirpImages(engine, kind, [count, ...network.imageShape]);
const logitsOf = (network: Network, count: number): number[] =>
  Array.from(network.logits(chirpParameters(engine, network), images(network, count)).values());

describe("ConvNet against the authors' code", () => {
  const network = convNet({ width: 8 }, color);

  test("logits and cross-entropy agree", () => {
    const expected = cases.W8D3_32x32x3;
    expectNear(logitsOf(network, 2), expected.logits.flat(), tolerance);
    const logits = network.logits(chirpParameters(engine, network), images(network, 2));
    expect(crossEntropy(logits, Int32Array.of(3, 7)).item()).toBeCloseTo(expected.ce_loss, 7);
  });

  test.each([
    [1, "03_AvgPool2d"],
    [2, "07_AvgPool2d"],
    [3, "11_AvgPool2d"],
  ])("the feature map of depth %i agrees", (depth, layer) => {
    const shallow = convNet({ width: 8, depth }, color);
    const map = shallow.featureMap(chirpParameters(engine, shallow), images(network, 2));
    expectSummary(channelsFirst(map), cases.W8D3_32x32x3.intermediate[layer]!, tolerance);
  });

  test("every parameter's gradient agrees", () => {
    const { gradients } = engine.gradients(
      (...values) => crossEntropy(network.logits(values, images(network, 2)), Int32Array.of(3, 7)),
      chirpParameters(engine, network),
    );
    const expected = Object.values(cases.W8D3_32x32x3.grads);
    expect(gradients).toHaveLength(expected.length);
    gradients.forEach((gradient, p) => expectSummary(channelsFirst(gradient), expected[p]!, tolerance));
  });

  test("images of one channel are padded by 3 in the first convolution", () => {
    expectNear(logitsOf(convNet({ width: 8 }, gray), 2), cases.W8D3_28x28x1.logits.flat(), tolerance);
  });

  test("the default has 320,010 parameters and the reference's logits", () => {
    const wide = convNet({}, color);
    expect(wide.parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0)).toBe(
      cases.W128D3_32x32x3.nparams,
    );
    expectNear(logitsOf(wide, 1), cases.W128D3_32x32x3.logits.flat(), tolerance);
  });

  const variants: [string, Partial<ConvNetOptions>][] = [
    ["sigmoid", { activation: "sigmoid" }],
    ["leakyrelu", { activation: "leakyRelu" }],
    ["swish", { activation: "swish" }],
    ["norm_none", { norm: "none" }],
    ["layernorm", { norm: "layer" }],
    ["groupnorm", { norm: "group" }],
    ["pool_none", { pooling: "none" }],
    ["pool_max", { pooling: "max" }],
    ["D1", { depth: 1 }],
    ["D2", { depth: 2 }],
    ["D4", { depth: 4 }],
  ];
  test.each(variants)("the variant %s agrees", (name, options) => {
    const logits = logitsOf(convNet({ width: 8, ...options }, color), 2);
    expectNear(logits.slice(0, 4), cases[`variant_${name}`]!, tolerance);
  });
});

describe("batch norm", () => {
  const network = convNet({ width: 8, norm: "batch" }, color);
  const { train_logits_0, running, eval_logits } = cases.batchnorm_freeze;
  const fresh = initialTensors(network.statistics, engine, seeded(0));

  test("a batch is normalized by itself, and moves the running statistics by a tenth", () => {
    const update = { statistics: fresh };
    const parameters = chirpParameters(engine, network);
    const logits = network.logits(parameters, images(network, 4), { use: "batch", update });
    expectNear(logits.values().slice(0, 10), train_logits_0, tolerance);
    Object.values(running).forEach((expected, i) =>
      expectSummary(channelsFirst(update.statistics[i]!), expected, tolerance),
    );
    const frozen = network.logits(parameters, images(network, 2, "syn"), { use: "running", ...update });
    expectNear(frozen.values(), eval_logits.flat(), tolerance);
  });

  test("without an update, statistics stay what they were", () => {
    const logits = network.logits(chirpParameters(engine, network), images(network, 4));
    expectNear(logits.values().slice(0, 10), train_logits_0, tolerance);
    expect(Array.from(fresh[0]!.values())).toEqual(new Array(8).fill(0));
  });

  test("a channel with one value has no variance, which is an error", () => {
    const point = convNet(
      { width: 4, depth: 1, norm: "batch", pooling: "none" },
      { imageShape: [1, 1, 3], classes: 2 },
    );
    expect(() =>
      point.logits(initialTensors(point.parameters, engine, seeded(0)), engine.fill([1, 1, 1, 3], 1)),
    ).toThrow("batch norm: expected more than one value per channel, got 1; use a larger batch");
  });
});

describe("ConvNet's structure", () => {
  test("parameters come in PyTorch's order", () => {
    expect(convNet({ depth: 1, width: 8 }, color).parameters).toEqual([
      { name: "conv1.weight", shape: [8, 3, 3, 3], initial: { fanIn: 27 } },
      { name: "conv1.bias", shape: [8], initial: { fanIn: 27 } },
      { name: "norm1.scale", shape: [8], initial: { constant: 1 } },
      { name: "norm1.shift", shape: [8], initial: { constant: 0 } },
      { name: "linear.weight", shape: [10, 2048], initial: { fanIn: 2048 } },
      { name: "linear.bias", shape: [10], initial: { fanIn: 2048 } },
    ]);
  });

  test("the name tells architectures apart", () => {
    expect(convNet({}, color).name).toBe("convNet-d3-w128-relu-instance-avg");
    expect(networkOf({ name: "convNet", ...smallest }, gray).name).toBe("convNet-d1-w4-swish-layer-max");
  });
  const smallest = { depth: 1, width: 4, activation: "swish", norm: "layer", pooling: "max" } as const;

  test("the embedding is the feature map flattened channel by channel, and the classifier is linear on it", () => {
    const network = convNet({ width: 4 }, color);
    const parameters = chirpParameters(engine, network);
    const x = images(network, 2);
    const embedding = network.embed(parameters, x);
    expect(embedding.shape).toEqual([2, network.width]);
    const map = network.featureMap(parameters, x);
    expect(Array.from(embedding.values())).toEqual(channelsFirst(map));
    expect(network.channels).toBe(map.shape[3]);
    expect(network.classify(parameters, embedding).values()).toEqual(network.logits(parameters, x).values());
  });

  test("fresh weights are uniform on ±1/√fanIn, and the same seed gives the same bits", () => {
    const network = convNet({ width: 64 }, color);
    const [weight] = initialTensors(network.parameters, engine, seeded(3));
    const values = Array.from(weight!.values());
    const bound = 1 / Math.sqrt(27);
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(bound);
    // Uniform: variance bound²/3; its estimate from n values has standard error bound² √(4/45/n).
    const variance = values.reduce((sum, v) => sum + v * v, 0) / values.length;
    expect(Math.abs(variance - bound ** 2 / 3)).toBeLessThan(
      5 * bound ** 2 * Math.sqrt(4 / 45 / values.length),
    );
    const [again] = initialTensors(network.parameters, engine, seeded(3));
    expect(Array.from(again!.values())).toEqual(values);
  });

  test("mistakes are named", () => {
    expect(() => convNet({ width: 6, norm: "group" }, color)).toThrow(
      "convNet.width: expected a multiple of 4 for group norm, got 6",
    );
    expect(() => convNet({ depth: 5 }, { imageShape: [16, 16, 3], classes: 2 })).toThrow(
      "convNet.depth: expected images that 5 poolings leave a pixel of, got 16×16, which have room for 4",
    );
    expect(() => convNet({ depth: 6 }, color)).toThrow(
      "convNet.depth: expected images that 6 poolings leave a pixel of, got 32×32, which have room for 5",
    );
    expect(convNet({ depth: 6, width: 4 }, { imageShape: [64, 64, 3], classes: 2 }).width).toBe(4);
    expect(() => convNet({ widht: 6 } as never, color)).toThrow(
      "convNet: widht: unknown option; did you mean width?",
    );
    const network = convNet({ width: 4 }, color);
    expect(() => network.logits(chirpParameters(engine, network), engine.fill([2, 28, 28, 3], 0))).toThrow(
      "convNet: expected images [n, 32, 32, 3], got [2, 28, 28, 3]",
    );
  });
});
