import { afterAll, describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import type { Engine, Tensor } from "../../src/engines/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { initialTensors, type Network, networkOf, resNet18 } from "../../src/networks/index.ts";
import { channelsFirst } from "./chirp.ts";
import { expectSecondOrder, normalImages, parametersOf } from "./differences.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

const color = { imageShape: [32, 32, 3], classes: 10 } as const;
const fresh = (on: Engine, network: Network): Tensor[] => initialTensors(network.statistics, on, seeded(0));

describe("ResNet-18's structure", () => {
  const narrow = { width: 4 } as const;
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
    const [parameters, x] = [parametersOf(engine, network), normalImages(engine, network, 2)];
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
      expectSecondOrder(engine, resNet18({ ...narrow, norm }, color));
    },
  );

  test("a batch moves the running statistics of every batch norm, in the order of their specs", () => {
    const network = resNet18({ ...narrow, norm: "batch" }, color);
    const update = { statistics: fresh(engine, network) };
    network.logits(parametersOf(engine, network), normalImages(engine, network, 4), { use: "batch", update });
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
    expect(() => resNet18({ depth: 18 } as never, color)).toThrow(
      "resNet18: depth: unknown option; expected one of width, norm, downsampling",
    );
    const network = resNet18(narrow, color);
    expect(() => network.logits(parametersOf(engine, network), engine.fill([2, 28, 28, 3], 0))).toThrow(
      "resNet18: expected images [n, 32, 32, 3], got [2, 28, 28, 3]",
    );
  });
});
