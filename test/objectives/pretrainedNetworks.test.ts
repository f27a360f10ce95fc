import { afterAll, describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { initialImages } from "../../src/distillers/initialize.ts";
import type { Tensor } from "../../src/engines/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { csdm, csdmOptions } from "../../src/objectives/csdm.ts";
import type { DistributionDraw } from "../../src/objectives/distribution.ts";
import { dm, dmOptions } from "../../src/objectives/dm.ts";
import { mmd, mmdOptions } from "../../src/objectives/mmd.ts";
import {
  type MatchingNetworks,
  networkSourceOf,
  networkSources,
} from "../../src/objectives/networkSources/index.ts";
import { descent, type Learned, type Objective, type Preparation } from "../../src/objectives/objective.ts";
import { pretrainedModel } from "../../src/objectives/pretraining.ts";
import { expectClose } from "../support/close.ts";
import { toySource } from "../support/toy.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

const small = { models: 3, epochs: 3, batchSize: 6 };
const source = toySource(engine);
const flat = (tensors: readonly Tensor[]): number[] => tensors.flatMap((tensor) => [...tensor.values()]);

function networksOf(given: object, seed = 2): MatchingNetworks {
  const options = networkSources.pretrained.options.parse({ ...small, ...given });
  return networkSourceOf({ name: "pretrained", ...options }).draw(source, seeded(seed), {
    step: 0,
    state: null,
  });
}

/** The pair that was drawn. */
function pairOf(networks: MatchingNetworks): { initial: number[]; trained: number[]; accuracy: number } {
  const options = networkSources.pretrained.options.parse(small);
  const [preparation] = networkSourceOf({ name: "pretrained", ...options }).preparations!;
  const { initial, trained, accuracy } = pretrainedModel(source, preparation!, networks.metrics!.pair!);
  return { initial: flat(initial), trained: flat(trained), accuracy };
}

describe("a step's network", () => {
  test("is on the line between a random start and what it became, at a place of its own", () => {
    const shares = [1, 2, 3, 4].map((seed) => {
      const networks = networksOf({}, seed);
      const { initial, trained, accuracy } = pairOf(networks);
      const share = networks.metrics!.initialShare!;
      expectClose(
        flat(networks.parameters),
        initial.map((start, i) => share * start + (1 - share) * trained[i]!),
        1e-12,
      );
      expect(flat(networks.classifier!)).toEqual(trained);
      expect(networks.accuracy).toBe(accuracy);
      return share;
    });
    expect(new Set(shares).size).toBe(4);
    shares.forEach((share) => expect(share).toBeGreaterThan(0));
    shares.forEach((share) => expect(share).toBeLessThan(1));
  });

  test("is the start, or the trained one, where the mixture says so", () => {
    const ends = { initial: networksOf({ mixture: "initial" }), trained: networksOf({ mixture: "trained" }) };
    for (const [end, networks] of Object.entries(ends)) {
      const pair = pairOf(networks);
      expect(flat(networks.parameters)).toEqual(pair[end as keyof typeof ends]);
      expect(flat(networks.classifier!)).toEqual(pair.trained);
    }
  });

  test("is of each pair now and then", () => {
    const pairs = Array.from({ length: 12 }, (_, seed) => networksOf({}, seed).metrics!.pair!);
    expect(new Set(pairs)).toEqual(new Set([0, 1, 2]));
  });
});

test("the learning rate falls after two thirds and five sixths of the epochs, whatever their number", () => {
  const preparationOf = (given: object): Preparation => {
    const options = networkSources.pretrained.options.parse(given);
    return networkSourceOf({ name: "pretrained", ...options }).preparations![0]!;
  };
  const trainingOf = (given: object): Preparation["options"] => preparationOf(given).options;
  const dropsOf = (given: object): unknown => trainingOf(given).drops;
  expect(preparationOf({}).parts).toBe(20);
  expect(trainingOf({})).toEqual({
    ...{ epochs: 60, batchSize: 128, learningRate: 0.01, momentum: 0.9, weightDecay: 5e-4 },
    drops: { afterEpochs: [39, 49], factor: 0.2, keepsMomentum: true },
    ...{ augmentation: "color+crop", cutMix: { probability: 0.5, alpha: 1 } },
  });
  expect(dropsOf({ epochs: 12 })).toMatchObject({ afterEpochs: [7, 9] });
  expect(dropsOf({ epochs: 1 })).toMatchObject({ afterEpochs: [] });
  expect(dropsOf({ drops: { afterEpochs: [5] } })).toMatchObject({ afterEpochs: [5], factor: 0.2 });
});

const networks = { name: "pretrained", ...small };
const methods: [string, Objective][] = [
  ["dm", dm(dmOptions.parse({ networks }))],
  ["csdm", csdm(csdmOptions.parse({ networks, frequencies: 16 }))],
  ["mmd", mmd(mmdOptions.parse({ networks: { ...networks, mixture: "trained" }, realBlock: true }))],
  ["dm with calibration", dm(dmOptions.parse({ networks, terms: { crossEntropy: { judge: "trained" } } }))],
];

test.each(methods)("%s matches under them, and they stay as they are", (_, objective) => {
  const learned: Learned = {
    images: initialImages(source, { initialization: "noise", scarcity: "error" }, seeded(1)),
  };
  expect(objective.preparations).toHaveLength(1);
  const draw = objective.draw(source, seeded(4), { step: 0, state: null }) as DistributionDraw;
  const before = flat(draw.networks.parameters);
  const { value, gradients } = descent(objective, learned, draw);
  expect(value.item()).toBeGreaterThan(0);
  expect(Object.keys(gradients)).toEqual(["images"]);
  expect(gradients.images!.abs().max().item()).toBeGreaterThan(0);
  expect(flat(draw.networks.parameters)).toEqual(before);
});

test("with batch norm too", () => {
  const normed = toySource(engine, { network: { norm: "batch" } });
  const learned: Learned = {
    images: initialImages(normed, { initialization: "noise", scarcity: "error" }, seeded(1)),
  };
  const objective = dm(dmOptions.parse({ networks, terms: { crossEntropy: { judge: "trained" } } }));
  const { value } = descent(objective, learned, objective.draw(normed, seeded(4), { step: 0, state: null }));
  expect(Number.isFinite(value.item())).toBe(true);
});
