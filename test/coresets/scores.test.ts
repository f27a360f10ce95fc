import { afterAll, describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { byScore, el2n, el2nOptions, grand, grandOptions } from "../../src/coresets/scores.ts";
import { subset } from "../../src/datasets/dataset.ts";
import { selectEngine } from "../../src/engines/index.ts";
import { imageDifficulty } from "../../src/evaluation/difficulty.ts";
import type { Source } from "../../src/objectives/objective.ts";
import { pretrainedModel, pretraining } from "../../src/objectives/pretraining.ts";
import { toySource } from "../support/toy.ts";

const { engine } = await selectEngine("tfjs");
afterAll(() => engine.close());

describe("an order by scores", () => {
  const members = Int32Array.of(4, 0, 2, 1, 3);
  const scores = Float64Array.of(1, Infinity, 1, 0, Infinity);
  const next = Float64Array.of(0, 1, 5, 0, 2);

  test("goes from hard to easy or back, equal ones by the next scores and then by position", () => {
    expect([...byScore(members, [scores, next], "hard")]).toEqual([4, 1, 2, 0, 3]);
    expect([...byScore(members, [scores, next], "easy")]).toEqual([3, 0, 2, 1, 4]);
    expect([...byScore(members, [scores], "hard")]).toEqual([1, 4, 0, 2, 3]);
  });

  test("leaves what it is given as it is", () => {
    byScore(members, [scores], "hard");
    expect([...members]).toEqual([4, 0, 2, 1, 3]);
  });
});

describe.each([
  { name: "el2n", build: el2n, options: el2nOptions.parse({ networks: { models: 2, epochs: 1 } }) },
  { name: "grand", build: grand, options: grandOptions.parse({ networks: { models: 2 } }) },
] as const)("$name", ({ name, build, options }) => {
  const source = toySource(engine);
  const ensemble = pretraining(options.networks);
  const models = [0, 1].map((index) => {
    const { network, trained, statistics } = pretrainedModel(source, ensemble, index);
    return { network, parameters: trained, statistics };
  });
  const direct = imageDifficulty(models, { dataset: source.real })[name === "grand" ? "gradn" : name];
  const chosen = (mode: "hard" | "easy", from: Source = source): number[] => [
    ...build({ ...options, mode }).choose(from, { perClass: 2, scarcity: "error" }, seeded(1)).positions,
  ];

  test("takes the images with the highest means over the networks, or the lowest", () => {
    source.classes.forEach((members, label) => {
      const sorted = [...members].sort((a, b) => direct[b]! - direct[a]!);
      expect(chosen("hard").slice(2 * label, 2 * label + 2)).toEqual(sorted.slice(0, 2));
      expect(chosen("easy").slice(2 * label, 2 * label + 2)).toEqual(sorted.slice(-2).reverse());
    });
  });

  test("scores a pool's own images under the same networks", () => {
    const order = source.real.labels.map((_, i) => 17 - i);
    const pooled: Source = { ...source, pool: subset(source.real, order) };
    expect(chosen("hard", pooled).map((at) => order[at])).toEqual(chosen("hard"));
  });

  test("leaves no tensors behind", () => {
    chosen("hard", { ...source, pool: source.real });
    const before = engine.liveTensors();
    chosen("hard", { ...source, pool: source.real });
    expect(engine.liveTensors()).toBe(before);
  });
});

test("GraNd is that of networks at their start", () => {
  const source = toySource(engine);
  const [, pretrained] = [
    grand(grandOptions.parse({})),
    pretraining(grandOptions.parse({ networks: { models: 1 } }).networks),
  ];
  const { initial, trained } = pretrainedModel(source, pretrained, 0);
  expect(trained.map((tensor) => Array.from(tensor.values()))).toEqual(
    initial.map((tensor) => Array.from(tensor.values())),
  );
});
