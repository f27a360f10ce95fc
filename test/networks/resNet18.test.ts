import { afterAll, describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { sizeOf } from "../../src/core/shape.ts";
import type { Engine, Tensor, Values } from "../../src/engines/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { crossEntropy } from "../../src/losses/crossEntropy.ts";
import { initialTensors, type Network, networkOf, resNet18 } from "../../src/networks/index.ts";
import { channelsFirst, chirpImages, chirpParameters, expectNear, reference } from "./chirp.ts";

const { case7_archs: cases } = reference<{
  case7_archs: Record<string, { nparams: number; ntensors: number; logits: number[] }>;
}>("gm.json");

const engine = torchEngine({ dtype: "float64", threads: 1 });
const single = torchEngine({ dtype: "float32", threads: 1 });
afterAll(() => {
  engine.close();
  single.close();
});

const color = { imageShape: [32, 32, 3], classes: 10 } as const;
const gray = { imageShape: [28, 28, 1], classes: 10 } as const;
const fresh = (on: Engine, network: Network): Tensor[] => initialTensors(network.statistics, on, seeded(0));

describe.each([
  ["ResNet18", {}],
  ["ResNet18BN", { norm: "batch" }],
  ["ResNet18_AP", { downsampling: "avg" }],
  ["ResNet18BN_AP", { norm: "batch", downsampling: "avg" }],
] as const)("%s against the authors' code", (name, options) => {
  test.each([
    ["ch3", color],
    ["ch1", gray],
  ] as const)("%s: parameters and logits agree", (channels, task) => {
    const expected = cases[`${name}_${channels}`]!;
    const network = resNet18(options, task);
    expect(network.parameters).toHaveLength(expected.ntensors);
    expect(network.parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0)).toBe(expected.nparams);
    expectNear(logitsOf(engine, network), expected.logits, 1e-8); // the reference has 9 digits
    if (task === color) expectNear(logitsOf(single, network), expected.logits, 5e-5);
  });
});

/** Of the reference image, with statistics as they start. */
function logitsOf(on: Engine, network: Network): Values {
  return on.scope(() => {
    const mode = { use: "running", statistics: fresh(on, network) } as const;
    const images = chirpImages(on, "test", [1, ...network.imageShape]);
    return network.logits(chirpParameters(on, network), images, mode).values();
  });
}

describe("ResNet-18's structure", () => {
  const narrow = { width: 4 } as const;
  const normal = (network: Network, count: number, seed = 5): Tensor => {
    const shape = [count, ...network.imageShape];
    return engine.tensor(shape, seeded(seed).fillNormal(new Float64Array(sizeOf(shape))));
  };
  const parametersOf = (network: Network): Tensor[] => initialTensors(network.parameters, engine, seeded(1));

  test("the name tells architectures apart, and those as published have the name alone", () => {
    expect(resNet18({}, color).name).toBe("resNet18-instance");
    expect(resNet18({ norm: "batch" }, color).name).toBe("resNet18-batch");
    expect(networkOf({ name: "resNet18", width: 8, norm: "group", downsampling: "avg" }, color).name).toBe(
      "resNet18Ap-w8-group",
    );
  });

  test.each([
    [28, 1, 8],
    [32, 1, 8],
    [64, 2, 8],
  ])("images of %i×%i are embedded by their %i mean, or means", (side, positions, width) => {
    const network = resNet18({ width: 1 }, { imageShape: [side, side, 3], classes: 2 });
    expect([network.channels, network.width]).toEqual([width, width * positions ** 2]);
    const [parameters, x] = [parametersOf(network), normal(network, 2)];
    const map = network.featureMap(parameters, x);
    expect(map.shape).toEqual([2, positions, positions, width]);
    const embedding = network.embed(parameters, x);
    expect(Array.from(embedding.values())).toEqual(channelsFirst(map));
    expect(network.classify(parameters, embedding).values()).toEqual(network.logits(parameters, x).values());
  });

  test.each(["stride", "avg"] as const)(
    "with %s, no intermediate result is larger than stated",
    (downsampling) => {
      const network = resNet18({ ...narrow, downsampling }, color);
      // After the stem 32·32·4; pooled, the second stage's first convolution keeps 32·32 positions at twice the channels.
      expect(network.largest).toBe(downsampling === "stride" ? 32 * 32 * 4 : 32 * 32 * 8);
    },
  );

  test.each(["instance", "batch", "group", "layer", "none"] as const)(
    "under %s norm, gradients of gradients agree with central differences",
    (norm) => {
      const network = resNet18({ ...narrow, norm }, color);
      const parameters = parametersOf(network);
      const labels = Int32Array.of(3, 7);
      const x = normal(network, 2);
      // ‖∇_θ CE‖² as a function of the images: what gradient matching differentiates.
      const squaredNorm = (images: Tensor): Tensor =>
        engine
          .gradients((...theta) => crossEntropy(network.logits(theta, images), labels), parameters)
          .gradients.map((gradient) => gradient.square().sum())
          .reduce((sum, part) => sum.add(part));
      const { gradients } = engine.gradients((images) => squaredNorm(images!), [x]);
      const direction = normal(network, 2, 6);
      const slope = gradients[0]!.mul(direction).sum().item();
      const h = 1e-8; // so small that no unit of the network passes 0 on the way
      const [above, below] = [h, -h].map((step) => squaredNorm(x.add(direction.mul(step))).item()) as [
        number,
        number,
      ];
      expect(Math.abs((above - below) / (2 * h) - slope)).toBeLessThan(1e-5 * Math.max(1, Math.abs(slope)));
    },
  );

  test("a batch moves the running statistics of every batch norm, in the order of their specs", () => {
    const network = resNet18({ ...narrow, norm: "batch" }, color);
    const update = { statistics: fresh(engine, network) };
    network.logits(parametersOf(network), normal(network, 4), { use: "batch", update });
    expect(update.statistics.map(({ shape }) => shape)).toEqual(network.statistics.map(({ shape }) => shape));
    for (const [i, { name }] of network.statistics.entries()) {
      const start = name.endsWith(".mean") ? 0 : 1;
      expect(Array.from(update.statistics[i]!.values()).some((value) => value !== start)).toBe(true);
    }
  });

  test("mistakes are named", () => {
    expect(() => resNet18({ width: 6, norm: "group" }, color)).toThrow(
      "resNet18.width: expected a multiple of 4 for group norm, got 6",
    );
    expect(() => resNet18({}, { imageShape: [48, 32, 3], classes: 2 })).toThrow(
      "resNet18: expected images whose last feature map is tiled by 4×4 windows, such as 32×32 or 64×64, " +
        "got 48×32 with a map of 6×4; resize them",
    );
    expect(() => resNet18({ downsampling: "avg" }, { imageShape: [7, 8, 3], classes: 2 })).toThrow(
      "resNet18: expected images of at least 8×8 for three poolings, got 7×8",
    );
    expect(() => resNet18({ depth: 18 } as never, color)).toThrow(/resNet18: .*Unrecognized key: "depth"/);
    const network = resNet18(narrow, color);
    expect(() => network.logits(parametersOf(network), engine.fill([2, 28, 28, 3], 0))).toThrow(
      "resNet18: expected images [n, 32, 32, 3], got [2, 28, 28, 3]",
    );
  });
});
