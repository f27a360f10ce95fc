import { afterAll, describe, expect, test } from "@jest/globals";
import type { Choice } from "../../src/core/options.ts";
import { seeded } from "../../src/core/rng.ts";
import type { Tensor } from "../../src/engines/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import {
  alexNet,
  initialTensors,
  leNet,
  mlp,
  type NetworkChoice,
  networkOf,
  networks,
  resNetAp10,
  vgg11,
} from "../../src/networks/index.ts";
import { backboneSize, frozenBackbone } from "../../src/networks/frozenBackbone.ts";
import { crossEntropy } from "../../src/losses/crossEntropy.ts";
import { expectClose } from "../support/close.ts";
import { channelsFirst } from "./chirp.ts";
import {
  expectHessian,
  expectParameterGradient,
  expectSecondOrder,
  normalImages,
  parametersOf,
} from "./differences.ts";

/** What holds of every architecture, on a narrow one of each. */

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

type Given = Exclude<Choice<typeof networks>, string>;

const narrow: readonly [Given, side: number, channels: number, width: number][] = [
  [{ name: "convNet", width: 4 }, 8, 4, 4],
  [{ name: "convNet", depth: 6, width: 2 }, 64, 2, 2],
  [{ name: "convNet", width: 4, activation: "swish", norm: "layer", pooling: "max" }, 8, 4, 4],
  [{ name: "convNet", width: 4, activation: "leakyRelu", norm: "batch", pooling: "none" }, 8, 4, 8 * 8 * 4],
  [{ name: "convNet", width: 4, activation: "sigmoid", norm: "group" }, 8, 4, 4],
  [{ name: "convNet", width: 4, norm: "none" }, 8, 4, 4],
  [{ name: "resNet18", width: 2 }, 32, 16, 16],
  [{ name: "resNetAp10", width: 2 }, 16, 16, 16],
  [{ name: "resNetAp10", width: 2, norm: "batch" }, 72, 16, 16],
  [{ name: "vgg11", width: 2 }, 64, 16, 16 * 4],
  [{ name: "vgg11", width: 2, norm: "batch" }, 32, 16, 16],
  [{ name: "alexNet", width: 4 }, 16, 6, 6 * 4],
  [{ name: "alexNet", width: 8, norm: "group" }, 8, 12, 12],
  [{ name: "leNet" }, 20, 84, 84],
  [{ name: "mlp", width: 8 }, 8, 8, 8],
];

test("every architecture is here", () => {
  expect(new Set(narrow.map(([{ name }]) => name))).toEqual(new Set(Object.keys(networks)));
});

describe.each(narrow)("%j", (given, side, channels, width) => {
  const network = networkOf(given as NetworkChoice, { imageShape: [side, side, 3], classes: 2 });

  test("the embedding is the last feature map flattened channel by channel, and the classifier is linear on it", () => {
    const [parameters, x] = [parametersOf(engine, network), normalImages(engine, network, 3)];
    expect([network.channels, network.width]).toEqual([channels, width]);
    const map = network.featureMap(parameters, x);
    expect(map.shape[3]).toBe(channels);
    const embedding = network.embed(parameters, x);
    expect(embedding.shape).toEqual([3, width]);
    expect(Array.from(embedding.values())).toEqual(channelsFirst(map));
    expect(network.classify(parameters, embedding).values()).toEqual(network.logits(parameters, x).values());
  });

  test("no layer's result is larger than stated", () => {
    let most = 0;
    const probe = (_: unknown, result: Tensor): Tensor => {
      most = Math.max(
        most,
        result.shape.slice(1).reduce((product, length) => product * length, 1),
      );
      return result;
    };
    network.logits(parametersOf(engine, network), normalImages(engine, network, 2), { use: "batch", probe });
    // An MLP's largest array is the image.
    expect(network.largest).toBe(given.name === "mlp" ? side * side * 3 : most);
  });

  test("gradients in the parameters agree with central differences", () => {
    expectParameterGradient(engine, network);
  });

  test("gradients of gradients agree with central differences", () => {
    expectSecondOrder(engine, network);
  });

  test("the Hessian in the parameters agrees with central differences", () => {
    expectHessian(engine, network);
  });

  test("on a frozen backbone, the classifier alone is what is learned, to the same values and gradients", () => {
    const [parameters, x] = [parametersOf(engine, network), normalImages(engine, network, 3)];
    const size = backboneSize(network);
    const [backbone, classifier] = [parameters.slice(0, size), parameters.slice(size)];
    const frozen = frozenBackbone(network, backbone);
    expect(frozen.parameters.map((spec) => spec.shape)).toEqual([[2, width], [2]]);
    const values = (tensor: Tensor): number[] => Array.from(tensor.values());
    const embedding = network.embed(parameters, x);
    expect(values(frozen.logits(classifier, x))).toEqual(values(network.logits(parameters, x)));
    expect(values(frozen.featureMap(classifier, x))).toEqual(values(network.featureMap(parameters, x)));
    expect(values(frozen.embed(classifier, x))).toEqual(values(embedding));
    expect(values(frozen.classify(classifier, embedding))).toEqual(
      values(network.classify(parameters, embedding)),
    );
    const labels = Int32Array.of(0, 1, 1);
    const inAll = engine.gradients(
      (images, ...theta) => crossEntropy(network.logits(theta, images!), labels),
      [x, ...parameters],
    ).gradients;
    const inFew = engine.gradients(
      (images, ...theta) => crossEntropy(frozen.logits(theta, images!), labels),
      [x, ...classifier],
    ).gradients;
    [inAll[0]!, ...inAll.slice(1 + size)].forEach((gradient, i) =>
      expectClose(inFew[i]!.values(), gradient.values(), 1e-12),
    );
    expect(() => frozenBackbone(network, parameters)).toThrow(
      `frozenBackbone: expected the ${size} tensors before the classifier, got ${size + 2}`,
    );
  });

  if (network.statistics.length > 0) {
    test("a batch moves all running statistics, in the order of their specs", () => {
      const update = {
        statistics: initialTensors(network.statistics, engine, seeded(0)) as readonly Tensor[],
      };
      const x = normalImages(engine, network, 4);
      network.logits(parametersOf(engine, network), x, { use: "batch", update });
      for (const [i, { name, shape }] of network.statistics.entries()) {
        expect(update.statistics[i]!.shape).toEqual(shape);
        const start = name.endsWith(".mean") ? 0 : 1;
        expect(Array.from(update.statistics[i]!.values()).some((value) => value !== start)).toBe(true);
      }
    });
  }
});

const color = { imageShape: [32, 32, 3], classes: 10 } as const;

test("names tell architectures apart by what is unusual about them, and by their norm", () => {
  expect(mlp({}, color).name).toBe("mlp");
  expect(mlp({ depth: 3, width: 64 }, color).name).toBe("mlp-d3-w64");
  expect(leNet({}, color).name).toBe("leNet");
  expect(alexNet({}, color).name).toBe("alexNet");
  expect(alexNet({ width: 32, norm: "batch" }, color).name).toBe("alexNet-w32-batch");
  expect(vgg11({}, color).name).toBe("vgg11-instance");
  expect(vgg11({ width: 8, norm: "none" }, color).name).toBe("vgg11-w8-none");
  expect(resNetAp10({}, color).name).toBe("resNetAp10-instance");
});

test("fresh filters of a ResNetAP-10 are normal with variance 2/(side² · outputs)", () => {
  const network = resNetAp10({}, color);
  const at = network.parameters.findIndex(({ name }) => name === "stage1.block1.conv1.weight");
  const { shape } = network.parameters[at]!;
  expect(shape).toEqual([64, 3, 3, 64]);
  const values = Array.from(
    initialTensors(network.parameters.slice(at, at + 1), engine, seeded(3))[0]!.values(),
  );
  const variance = values.reduce((sum, v) => sum + v * v, 0) / values.length;
  const expected = 2 / (9 * 64);
  // Its estimate from n normal values has standard error σ² √(2/n).
  expect(Math.abs(variance - expected)).toBeLessThan(4 * expected * Math.sqrt(2 / values.length));
  const beyond = values.filter((v) => Math.abs(v) > 2 * Math.sqrt(expected)).length / values.length;
  expect(Math.abs(beyond - 0.0455)).toBeLessThan(4 * Math.sqrt((0.0455 * 0.9545) / values.length));
});

test("mistakes are named", () => {
  const task = (side: number) => ({ imageShape: [side, side, 3], classes: 2 }) as const;
  expect(() => mlp({ width: 0 }, color)).toThrow("mlp: width: ");
  expect(() => leNet({ norm: "batch" } as never, color)).toThrow("leNet: norm: unknown option");
  expect(() => leNet({}, task(12))).toThrow(
    "leNet: expected images that 2 poolings leave a pixel of, got 12×12, which have room for 1",
  );
  expect(() => alexNet({ width: 3 }, color)).toThrow("alexNet: width: ");
  expect(() => alexNet({ width: 12, norm: "group" }, color)).toThrow(
    "alexNet.width: expected a multiple of 8 for group norm, got 12",
  );
  expect(() => alexNet({}, task(4))).toThrow(
    "alexNet: expected images that 3 poolings leave a pixel of, got 4×4, which have room for 2",
  );
  expect(() => vgg11({}, task(28))).toThrow(
    "vgg11: expected images that 5 poolings leave a pixel of, got 28×28, which have room for 4",
  );
  expect(() => resNetAp10({}, task(7))).toThrow(
    "resNetAp10: expected images of at least 8×8 for three poolings, got 7×7",
  );
  const network = mlp({}, color);
  expect(() => network.logits(parametersOf(engine, network), engine.fill([2, 28, 28, 3], 0))).toThrow(
    "mlp: expected images [n, 32, 32, 3], got [2, 28, 28, 3]",
  );
});
