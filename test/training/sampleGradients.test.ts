import { afterAll, describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { sizeOf } from "../../src/core/shape.ts";
import type { Engine, Tensor } from "../../src/engines/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { crossEntropy } from "../../src/losses/crossEntropy.ts";
import { activations, poolings } from "../../src/networks/layers.ts";
import { convNet, type Network, type NetworkChoice, networkOf, networks } from "../../src/networks/index.ts";
import { normNames } from "../../src/networks/norm.ts";
import type { ProbedConvolution } from "../../src/networks/probe.ts";
import { directNorm, ghostNorm } from "../../src/training/layerGradients.ts";
import type { Model } from "../../src/training/model.ts";
import { lossGradient } from "../../src/training/parameterGradient.ts";
import {
  type SampleBatch,
  sampleGradientNorms,
  sampleGradients,
  type SampleGradients,
} from "../../src/training/sampleGradients.ts";
import { channelsLast, expectNear, reference } from "../networks/chirp.ts";
import { expectClose } from "../support/close.ts";
import { describeEngines, engines } from "../support/engines.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
const candidates = await engines();
afterAll(() => {
  engine.close();
  for (const candidate of candidates) candidate.engine?.close();
});

interface Case {
  inputs: Record<string, { shape: number[]; wave: [number, number, number]; plus?: number }>;
  labels: number[];
  [name: string]: unknown;
}

describe("against PyTorch, image by image", () => {
  const expected = reference<Case>("sampleGradients.json");
  const input = (name: string): Tensor => {
    const { shape, wave, plus = 0 } = expected.inputs[name]!;
    const [scale, a, b] = wave;
    const values = Array.from({ length: sizeOf(shape) }, (_, k) => plus + scale * Math.sin(a * k + b));
    const tensor = engine.tensor(shape, values);
    return shape.length === 4 ? channelsLast(tensor) : tensor;
  };
  const network = convNet({ depth: 1, width: 3 }, { imageShape: [4, 4, 2], classes: 3 });
  const parameters = ["W1", "b1", "gamma", "beta", "W2", "b2"].map(input);
  const images = input("x");
  const labels = Int32Array.from(expected.labels);
  const found = sampleGradients({ network, parameters, statistics: [] }, { images, labels });

  test("losses and norms agree", () => {
    expectNear(found.losses, expected["loss"] as number[], 1e-13);
    expectNear(found.norms, expected["gradn"] as number[], 1e-13);
  });

  test.each(["W1", "b1", "gamma", "beta", "W2", "b2"].map((name, k) => [name, k] as const))(
    "squared norms in %s agree",
    (name, k) => {
      expectNear(found.squared[k]!, expected[`sq_norm_${name}`] as number[], 1e-13);
    },
  );

  test("the classifier's bias has the distance of probabilities from labels as its norm", () => {
    expectNear(found.squared[5]!.map(Math.sqrt), expected["el2n"] as number[], 1e-13);
  });
});

/** A model whose every parameter and statistic is drawn, none left at 0 or 1. */
function drawnModel(network: Network, on: Engine): Model {
  const rng = seeded(3);
  const drawn = (specs: Network["parameters"], positive: boolean): Tensor[] =>
    specs.map(({ name, shape, initial }) => {
      const values = rng.stream(name).fillNormal(new Float64Array(sizeOf(shape)));
      const spread = "fanIn" in initial ? 1 / Math.sqrt(initial.fanIn) : 0.3;
      const center = "constant" in initial ? initial.constant : 0;
      return on.tensor(
        shape,
        values.map((v) => (positive ? 0.5 + v * v : center + spread * v)),
      );
    });
  const { parameters, statistics } = network;
  return { network, parameters: drawn(parameters, false), statistics: drawn(statistics, true) };
}

function imagesFor(network: Network, n: number, on: Engine): SampleBatch & { labels: Int32Array } {
  const shape = [n, ...network.imageShape];
  const images = on.tensor(shape, seeded(4).fillNormal(new Float64Array(sizeOf(shape))));
  return { images, labels: Int32Array.from({ length: n }, (_, i) => (i * i + 1) % network.classes) };
}

/** The same by gradients on one image after another. */
function looped(
  { network, parameters, statistics }: Model,
  { images, labels }: SampleBatch,
): SampleGradients {
  const n = images.shape[0]!;
  const mode = { use: "running", statistics } as const;
  const ones = Array.from({ length: n }, (_, i) => {
    const image = images.slice([i, 0, 0, 0], [1, ...network.imageShape]);
    const own = (labels as Int32Array).subarray(i, i + 1);
    const { value, gradients } = lossGradient(network, parameters, { images: image, labels: own, mode });
    const logits = network.logits(parameters, image, mode);
    return {
      loss: value.item(),
      squared: gradients.map((gradient) => gradient.square().sum().item()),
      predicted: logits.argmax(1).item(),
    };
  });
  return {
    losses: Float64Array.from(ones, ({ loss }) => loss),
    norms: Float64Array.from(ones, ({ squared }) => Math.sqrt(squared.reduce((sum, one) => sum + one))),
    squared: parameters.map((_, k) => Float64Array.from(ones, ({ squared }) => squared[k]!)),
    predicted: Int32Array.from(ones, ({ predicted }) => predicted),
  };
}

function expectSame(found: SampleGradients, expected: SampleGradients, bound: number): void {
  expectClose(found.losses, expected.losses, bound);
  expectClose(found.norms, expected.norms, bound);
  expected.squared.forEach((one, k) => {
    expectClose(found.squared[k]!, one, bound);
  });
  expect(found.predicted).toEqual(expected.predicted);
}

function expectAsLooped(network: Network, on = engine, bound = 1e-10): void {
  on.scope(() => {
    const model = drawnModel(network, on);
    const batch = imagesFor(network, 3, on);
    expectSame(sampleGradients(model, batch), looped(model, batch), bound);
  });
}

describe("equal to gradients on one image after another", () => {
  const color = { imageShape: [8, 8, 3], classes: 4 } as const;
  const deep = { depth: 2, width: 8 } as const;

  test.each(normNames)("ConvNet with %s norm", (norm) => {
    expectAsLooped(convNet({ ...deep, norm }, color));
    expectAsLooped(convNet({ ...deep, norm }, { imageShape: [8, 8, 1], classes: 4 }));
  });

  test.each(Object.keys(activations) as (keyof typeof activations)[])("ConvNet with %s", (activation) => {
    expectAsLooped(convNet({ ...deep, activation }, color));
  });

  test.each(Object.keys(poolings) as (keyof typeof poolings)[])("ConvNet with %s pooling", (pooling) => {
    expectAsLooped(convNet({ ...deep, pooling }, color));
  });

  // Options by which the networks of the table are as narrow as they can be.
  const narrow: Record<string, object> = { convNet: { width: 4 }, resNet18: { width: 4 } };
  test.each(Object.entries(networks))("%s", (name, { options }) => {
    const choice = { name, ...options.parse(narrow[name] ?? {}) } as NetworkChoice;
    expectAsLooped(networkOf(choice, { imageShape: [32, 32, 3], classes: 5 }));
  });

  test.each(normNames.flatMap((norm) => (["stride", "avg"] as const).map((way) => [norm, way] as const)))(
    "ResNet-18 with %s norm, halved by %s",
    (norm, downsampling) => {
      const choice = { name: "resNet18", width: 4, norm, downsampling } as const;
      expectAsLooped(networkOf(choice, { imageShape: [32, 32, 3], classes: 3 }));
    },
  );
});

describe("a convolution's norm by its gradient and by Gram matrices", () => {
  const normal = (shape: number[], seed: number): Tensor =>
    engine.tensor(shape, seeded(seed).fillNormal(new Float64Array(sizeOf(shape))));

  test.each([
    // side of images, of filters, stride, padding, inputs
    [6, 3, 1, 1, 4],
    [7, 3, 2, 1, 4],
    [8, 3, 3, 0, 4],
    [9, 5, 1, 2, 2],
    [9, 5, 2, 4, 3],
    [6, 1, 2, 0, 5],
    [7, 1, 1, 0, 5],
    [5, 2, 2, 1, 1],
    [4, 4, 1, 0, 3],
    [8, 3, 1, 1, 70],
  ])(
    "images of %i, filters of %i, stride %i, padding %i, %i inputs",
    (...[side, filter, stride, padding, inputs]) => {
      const [n, outputs] = [2, 3];
      const filters = normal([outputs, filter, filter, inputs], 1);
      const input = normal([n, side, side + 1, inputs], 2);
      const result = input.conv2d(filters, { stride, padding });
      const signal = normal([...result.shape], 3);
      const layer: ProbedConvolution = { kind: "convolution", input, parameters: [filters], stride, padding };
      const expected = Array.from({ length: n }, (_, i) => {
        const one = (x: Tensor): Tensor => x.slice([i, 0, 0, 0], [1, ...x.shape.slice(1)]);
        const { gradients } = engine.gradients(
          (w) => one(input).conv2d(w, { stride, padding }).mul(one(signal)).sum(),
          [filters],
        );
        return gradients[0]!.square().sum().item();
      });
      expectClose(directNorm(layer, signal).values(), expected, 1e-12);
      expectClose(ghostNorm(layer, signal).values(), expected, 1e-12);
    },
  );
});

describeEngines(candidates, (on) => {
  const bound = on.dtype === "float64" ? 1e-10 : 1e-4;
  const task = { imageShape: [8, 8, 1], classes: 3 } as const;

  test("agrees with the loop", () => {
    expectAsLooped(convNet({ depth: 2, width: 16 }, task), on, bound);
    expectAsLooped(convNet({ depth: 1, width: 8, norm: "batch", pooling: "max" }, task), on, bound);
  });

  test("chunks change nothing, and no tensor is left", () => {
    on.scope(() => {
      const model = drawnModel(convNet({ depth: 2, width: 8 }, task), on);
      const batch = imagesFor(model.network, 5, on);
      const before = on.liveTensors();
      const whole = sampleGradients(model, batch);
      expect(on.liveTensors()).toBe(before);
      expectSame(sampleGradients(model, { ...batch, atOnce: 2 }), whole, bound);
      expectClose(sampleGradientNorms(model, batch.images, batch.labels), whole.norms, bound);
    });
  });
});

describe("labels and modes", () => {
  const network = convNet({ depth: 1, width: 4, norm: "batch" }, { imageShape: [4, 4, 3], classes: 3 });
  const model = drawnModel(network, engine);
  const batch = imagesFor(network, 3, engine);

  test("soft labels with one 1 in each row are hard labels", () => {
    const rows = Array.from(batch.labels, (label) => [0, 1, 2].map((c) => (c === label ? 1 : 0)));
    const soft = engine.tensor([3, 3], rows.flat());
    expectSame(sampleGradients(model, { ...batch, labels: soft }), sampleGradients(model, batch), 1e-12);
  });

  test("soft labels have the gradient of their cross-entropy", () => {
    const soft = engine.tensor([1, 3], [0.2, 0.5, 0.3]);
    const image = batch.images.slice([0, 0, 0, 0], [1, 4, 4, 3]);
    const mode = { use: "running", statistics: model.statistics } as const;
    const { gradients } = engine.gradients(
      (...theta) => crossEntropy(network.logits(theta, image, mode), soft),
      model.parameters,
    );
    const norm = Math.sqrt(gradients.reduce((sum, one) => sum + one.square().sum().item(), 0));
    expectClose(sampleGradientNorms(model, image, soft), [norm], 1e-12);
  });

  test("batch norm by the batch is refused, and other norms know no difference", () => {
    expect(() => sampleGradients(model, { ...batch, mode: { use: "batch" } })).toThrow(
      "expected batch norm by running statistics, got by the batch",
    );
    const plain = drawnModel(convNet({ depth: 1, width: 4 }, network), engine);
    expectSame(
      sampleGradients(plain, { ...batch, mode: { use: "batch" } }),
      sampleGradients(plain, batch),
      1e-15,
    );
  });

  test("a network that hides a parameter is refused by the parameter's name", () => {
    const hiding: Network = {
      ...network,
      logits: (values, images, mode) => network.logits(values, images, { ...mode!, probe: (_, x) => x }),
    };
    expect(() => sampleGradients({ ...model, network: hiding }, batch)).toThrow(
      /show a probe each of its parameters once, got conv1\.weight 0 times/,
    );
  });

  test("no images, wrong labels and chunks of none are refused", () => {
    const none = { images: engine.fill([0, 4, 4, 3], 0), labels: new Int32Array(0) };
    expect(() => sampleGradients(model, none)).toThrow("expected at least one image, got none");
    expect(() => sampleGradients(model, { ...batch, labels: Int32Array.of(0, 3, 1) })).toThrow(
      "expected labels from 0 to 2, got 3",
    );
    expect(() => sampleGradients(model, { ...batch, labels: Int32Array.of(0, 1) })).toThrow(
      /expected 3 labels/,
    );
    expect(() => sampleGradients(model, { ...batch, atOnce: 0 })).toThrow(
      "expected a whole number >= 1, got 0",
    );
  });
});
