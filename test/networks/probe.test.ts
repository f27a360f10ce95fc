import { afterAll, describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import type { Tensor } from "../../src/engines/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import {
  type Mode,
  type NetworkChoice,
  networkOf,
  networks,
  type ProbedLayer,
} from "../../src/networks/index.ts";
import { freshModel } from "../../src/training/model.ts";
import { expectClose } from "../support/close.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => {
  engine.close();
});

const task = { imageShape: [8, 8, 3], classes: 4 } as const;
const resNets = (["stride", "avg"] as const).map(
  (downsampling) => ({ name: "resNet18", width: 2, norm: "instance", downsampling }) as const,
);
const choices: [string, NetworkChoice, number][] = [
  ...(["batch", "none", "instance", "group", "layer"] as const).map(
    (norm): [string, NetworkChoice, number] => [
      `convNet ${norm}`,
      { name: "convNet", depth: 2, width: 8, activation: "relu", norm, pooling: "max" },
      8,
    ],
  ),
  ...resNets.map((choice): [string, NetworkChoice, number] => [
    `resNet18 ${choice.downsampling}`,
    choice,
    32,
  ]),
  ["resNetAp10", { name: "resNetAp10", width: 2, norm: "instance" }, 8],
  ["vgg11", { name: "vgg11", width: 1, norm: "instance" }, 32],
  ["alexNet", { name: "alexNet", width: 4, norm: "none" }, 8],
  ["leNet", { name: "leNet" }, 16],
  ["mlp", { name: "mlp", depth: 2, width: 8 }, 8],
];

test("every architecture is probed", () => {
  expect(new Set(choices.map(([, { name }]) => name))).toEqual(new Set(Object.keys(networks)));
});

describe.each(choices)("a probe of %s", (_, choice, side) => {
  const network = networkOf(choice, { ...task, imageShape: [side, side, 3] });
  const model = freshModel(network, engine, seeded(0));
  const pixels = seeded(1).fillNormal(new Float64Array(3 * side * side * 3));
  const images = engine.tensor([3, side, side, 3], pixels);

  test.each(["batch", "running"] as const)("%s mode: meets every parameter once, in order", (use) => {
    const seen: Tensor[] = [];
    const probe = ({ parameters }: ProbedLayer, result: Tensor): Tensor => {
      for (const parameter of parameters) seen.push(parameter!);
      return result;
    };
    const plain: Mode = use === "batch" ? { use } : { use, statistics: model.statistics };
    const probed = network.logits(model.parameters, images, { ...plain, probe }).values();
    expect(seen).toHaveLength(model.parameters.length);
    seen.forEach((parameter, i) => {
      expect(parameter).toBe(model.parameters[i]);
    });
    expectClose(probed, network.logits(model.parameters, images, plain).values(), 1e-12);
  });

  test("goes on with what the probe returns", () => {
    const twice = (_layer: ProbedLayer, result: Tensor): Tensor => result.mul(2);
    const mode = { use: "running", statistics: model.statistics } as const;
    const plain = network.logits(model.parameters, images, mode).values();
    const doubled = network.logits(model.parameters, images, { ...mode, probe: twice }).values();
    expect(doubled).not.toEqual(plain);
    const classifierAlone = network.classify(
      model.parameters,
      network.embed(model.parameters, images, mode),
      {
        probe: twice,
      },
    );
    expectClose(
      classifierAlone.values(),
      plain.map((logit) => 2 * logit),
      1e-12,
    );
  });
});
