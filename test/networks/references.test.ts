import { afterAll, describe, expect, test } from "@jest/globals";
import type { Choice } from "../../src/core/options.ts";
import { seeded } from "../../src/core/rng.ts";
import { sizeOf } from "../../src/core/shape.ts";
import type { Engine, Values } from "../../src/engines/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import {
  initialTensors,
  type Network,
  type NetworkChoice,
  networkOf,
  type networks,
} from "../../src/networks/index.ts";
import { chirpImages, chirpParameters, expectNear, reference } from "./chirp.ts";

/** Every architecture against the code of those who published with it: its size, and logits of an image. */

interface Case {
  nparams: number;
  ntensors: number;
  logits: number[];
}

const { case7_archs: condensation } = reference<{ case7_archs: Record<string, Case> }>("gm.json");
const others = reference<Record<string, Case>>("networks.json");

const engine = torchEngine({ dtype: "float64", threads: 1 });
const single = torchEngine({ dtype: "float32", threads: 1 });
afterAll(() => {
  engine.close();
  single.close();
});

/** Of the reference image, with statistics as they start. */
function logitsOf(on: Engine, network: Network): Values {
  return on.scope(() => {
    const mode = { use: "running", statistics: initialTensors(network.statistics, on, seeded(0)) } as const;
    const images = chirpImages(on, "test", [1, ...network.imageShape]);
    return network.logits(chirpParameters(on, network), images, mode).values();
  });
}

type Given = Exclude<Choice<typeof networks>, string>;

function agrees(given: Given, imageShape: readonly [number, number, number], expected: Case): void {
  const network = networkOf(given as NetworkChoice, { imageShape, classes: 10 });
  expect(network.parameters).toHaveLength(expected.ntensors);
  expect(network.parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0)).toBe(expected.nparams);
  expectNear(logitsOf(engine, network), expected.logits, 1e-8); // the reference has 9 digits
  if (imageShape[2] === 3) expectNear(logitsOf(single, network), expected.logits, 5e-5);
}

describe.each<[string, Given]>([
  ["MLP", { name: "mlp" }],
  ["LeNet", { name: "leNet" }],
  ["AlexNet", { name: "alexNet" }],
  ["AlexNetBN", { name: "alexNet", norm: "batch" }],
  ["VGG11", { name: "vgg11" }],
  ["VGG11BN", { name: "vgg11", norm: "batch" }],
  ["ResNet18", { name: "resNet18" }],
  ["ResNet18BN", { name: "resNet18", norm: "batch" }],
  ["ResNet18_AP", { name: "resNet18", downsampling: "avg" }],
  ["ResNet18BN_AP", { name: "resNet18", norm: "batch", downsampling: "avg" }],
])("%s of dataset condensation", (published, given) => {
  test("agrees on 32×32 color images", () => {
    agrees(given, [32, 32, 3], condensation[`${published}_ch3`]!);
  });
  test("agrees on 28×28 gray images", () => {
    agrees(given, [28, 28, 1], condensation[`${published}_ch1`]!);
  });
});

test("no published case is left out", () => {
  expect(Object.keys(condensation)).toHaveLength(1 + 2 * 10); // with what was fed in
});

test.each<[string, Given, number, number]>([
  ["ResNetAP10_32", { name: "resNetAp10" }, 32, 3],
  ["ResNetAP10BN_32", { name: "resNetAp10", norm: "batch" }, 32, 3],
  ["ResNetAP10_28_ch1", { name: "resNetAp10" }, 28, 1],
  ["ResNetAP10_72", { name: "resNetAp10", width: 16 }, 72, 3], // pools by 2 after its first convolution
  ["ResNetAP10_136", { name: "resNetAp10", width: 16 }, 136, 3], // by 4, after 7×7 filters
  ["ConvNetD6_64", { name: "convNet", depth: 6 }, 64, 3],
  ["ConvNetD6_W16_96", { name: "convNet", depth: 6, width: 16 }, 96, 3],
])("%s agrees", (published, given, side, channels) => {
  agrees(given, [side, side, channels], others[published]!);
});
