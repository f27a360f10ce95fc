import { describe, expect, test } from "@jest/globals";
import { architectures, type RunNetworks, pools } from "../../src/evaluation/pools.ts";
import { type NetworkChoice, networkOf } from "../../src/networks/index.ts";

const convNet = (change: object = {}): NetworkChoice => ({
  name: "convNet",
  depth: 3,
  width: 128,
  activation: "relu",
  norm: "instance",
  pooling: "avg",
  ...change,
});

const namesOf = (words: string, judged: RunNetworks = { matching: convNet() }, side = 32): string[] =>
  architectures("--networks", words.split(","), judged).map(
    (given) => networkOf(given, { imageShape: [side, side, 3], classes: 10 }).name,
  );

/** Under the letters of the published code, with names as it has them for a ConvNet of 3 blocks and 128 channels. */
const published: Record<string, readonly string[]> = {
  M: ["mlp", "convNet-d3-w128-relu-instance-avg", "leNet", "alexNet", "vgg11-instance", "resNet18-instance"],
  W: [32, 64, 128, 256].map((width) => `convNet-d3-w${width}-relu-instance-avg`),
  D: [1, 2, 3, 4].map((depth) => `convNet-d${depth}-w128-relu-instance-avg`),
  A: ["sigmoid", "relu", "leakyRelu", "swish"].map((one) => `convNet-d3-w128-${one}-instance-avg`),
  P: ["none", "max", "avg"].map((pooling) => `convNet-d3-w128-relu-instance-${pooling}`),
  N: ["none", "batch", "layer", "instance", "group"].map((norm) => `convNet-d3-w128-relu-${norm}-avg`),
  B: [
    "convNet-d3-w128-relu-batch-avg",
    "convNet-d3-w128-swish-batch-avg",
    "alexNet-batch",
    "vgg11-batch",
    "resNet18-batch",
  ],
  S: ["convNet-d3-w128-relu-instance-avg"],
};

describe("pools", () => {
  test.each(Object.entries(pools))("%s is that of the published code", (name, { published: letter }) => {
    expect(namesOf(name)).toEqual(published[letter]);
  });

  test("all letters are here, once", () => {
    expect(Object.values(pools).map(({ published: letter }) => letter)).toEqual(Object.keys(published));
  });

  test("their ConvNets have the depth and width of the run's own, and nothing else of it", () => {
    const judged = { matching: convNet({ depth: 4, width: 16, norm: "batch" }) };
    expect(namesOf("all", judged, 64)[1]).toBe("convNet-d4-w16-relu-instance-avg");
    expect(namesOf("depth", judged, 64)).toEqual(
      [1, 2, 3, 4].map((depth) => `convNet-d${depth}-w16-relu-instance-avg`),
    );
    expect(namesOf("width", judged, 64)[0]).toBe("convNet-d4-w32-relu-instance-avg");
  });

  test("without a ConvNet in the run they have the published one", () => {
    const matching: NetworkChoice = { name: "mlp", depth: 2, width: 128 };
    expect(namesOf("all", { matching })[1]).toBe("convNet-d3-w128-relu-instance-avg");
    expect(namesOf("norm", { matching, evaluation: convNet({ width: 8 }) })[0]).toBe(
      "convNet-d3-w8-relu-none-avg",
    );
  });

  test.each<[string, NetworkChoice, string]>([
    ["ConvNet", convNet({ width: 8, norm: "group" }), "convNet-d3-w8-relu-group-avg"],
    [
      "ConvNetASwishBN",
      convNet({ norm: "batch", activation: "swish" }),
      "convNet-d3-w128-swish-instance-avg",
    ],
    ["AlexNetBN", { name: "alexNet", width: 128, norm: "batch" }, "alexNet"],
    [
      "ResNet18BN_AP",
      { name: "resNet18", width: 64, norm: "batch", downsampling: "avg" },
      "resNet18-instance",
    ],
    [
      "ResNet18_AP",
      { name: "resNet18", width: 64, norm: "instance", downsampling: "avg" },
      "resNet18Ap-instance",
    ],
    ["MLP", { name: "mlp", depth: 2, width: 128 }, "mlp"],
  ])("the twin of %s is what the published code judges by", (_, matching, twin) => {
    expect(namesOf("instanceTwin", { matching, evaluation: convNet() })).toEqual([twin]);
  });
});

describe("names of architectures", () => {
  test("mean the usual options, or those that the run has for them", () => {
    const judged: RunNetworks = {
      matching: convNet({ width: 8, norm: "batch" }),
      evaluation: { name: "vgg11", width: 16, norm: "group" },
    };
    expect(namesOf("convNet,vgg11,alexNet,resNetAp10", judged)).toEqual([
      "convNet-d3-w8-relu-batch-avg",
      "vgg11-w16-group",
      "alexNet",
      "resNetAp10-instance",
    ]);
  });

  test("that are none are answered with the nearest", () => {
    expect(() => namesOf("all,resnet")).toThrow(
      /--networks: expected one of all, .*, got "resnet"; did you mean/,
    );
    expect(() => namesOf("")).toThrow(/--networks: expected one of all, .*, got ""/);
  });
});
