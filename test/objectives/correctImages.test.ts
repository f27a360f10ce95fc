import { afterAll, describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { normalized } from "../../src/datasets/dataset.ts";
import type { Tensor } from "../../src/engines/index.ts";
import { correctImages, type Search } from "../../src/objectives/correctImages.ts";
import { expertOf, expertOptions, experts } from "../../src/objectives/experts.ts";
import type { Preparation, Source } from "../../src/objectives/objective.ts";
import { engines, exactEngine } from "../support/engines.ts";
import { toySource } from "../support/toy.ts";
import { fixedExperts } from "./fixedExperts.ts";

const candidates = await engines();
const engine = exactEngine(candidates)!;
afterAll(() => candidates.forEach((candidate) => candidate.engine?.close()));

function sourceOf(counts: readonly number[], imagesPerClass: number): Source {
  const labels = Int32Array.from({ length: counts.length * imagesPerClass }, (_, i) =>
    Math.floor(i / imagesPerClass),
  );
  return Object.assign(toySource(engine, { counts }), { imagesPerClass, labels });
}

/** Which real images these are, −1 of one that is none. */
function positionsIn({ real }: Source, images: Tensor): number[] {
  const all = Array.from(real.labels.keys(), (position) => normalized(real, [position]).join());
  return Array.from({ length: images.shape[0]! }, (_, i) => {
    const image = images.slice([i, 0, 0, 0], [1, 8, 8, 3]);
    return all.indexOf(Float32Array.from(image.values()).join());
  });
}

function chosenBy(source: Source, search: Search): number[][] {
  const positions = positionsIn(source, correctImages(source, search, seeded(3)));
  const { imagesPerClass, classes } = source;
  return Array.from(classes.keys(), (label) =>
    positions.slice(label * imagesPerClass, (label + 1) * imagesPerClass),
  );
}

/** The real images of each class that an expert classifies correctly after its training, all at once. */
function correctFor(source: Source, judges: Preparation, index: number): number[][] {
  const { real, classes } = source;
  const { network, ...expert } = expertOf(source, judges, index);
  const all = engine.tensor([real.labels.length, 8, 8, 3], normalized(real, Array.from(real.labels.keys())));
  const verdicts = network.logits(expert.final(), all).argmax(1).values();
  return classes.map((positions) =>
    [...positions].filter((position) => verdicts[position] === real.labels[position]),
  );
}

test("images are ones that the first expert gets right, then those of the next, none of them twice", () => {
  const source = sourceOf([30, 30, 30], 12);
  const judges = experts(expertOptions.parse({ count: 3, epochs: 2, learningRate: 0.02 }), {
    first: 0,
    last: 1,
    final: true,
  });
  const right = [0, 1, 2].map((index) => correctFor(source, judges, index));
  const wantsNext = right[0]!.map((ofClass) => ofClass.length < 12);
  expect(new Set(wantsNext)).toEqual(new Set([true, false]));
  chosenBy(source, { experts: judges, turns: 3, rest: "others" }).forEach((chosen, label) => {
    expect(new Set(chosen).size).toBe(12);
    for (const position of chosen) expect(source.real.labels[position]).toBe(label);
    const [first, ...others] = right.map((ofExpert) => ofExpert[label]!);
    const ofFirst = chosen.filter((position) => first!.includes(position));
    expect(ofFirst).toHaveLength(Math.min(12, first!.length));
    expect(chosen.slice(0, ofFirst.length)).toEqual(ofFirst);
    const ofAny = chosen.filter((position) => [first, ...others].flat().includes(position));
    expect(ofAny).toHaveLength(Math.min(12, new Set([first, ...others].flat()).size));
  });
});

describe("of a class that experts see too few of", () => {
  const source = sourceOf([5, 5, 2], 4);
  // Expert 0 sees class 0 alone, expert 1 class 1 alone; class 2 nobody.
  const judges = fixedExperts([
    [1, 0, 0],
    [0, 1, 0],
  ]);
  const found = (search: Omit<Search, "experts">): number[][] =>
    chosenBy(source, { experts: judges, ...search });

  test("the others come in random order, and then all again", () => {
    const [first, second, third] = found({ turns: 2, rest: "others" });
    expect(new Set(first).size).toBe(4);
    expect(new Set(second).size).toBe(4);
    expect([...third!].sort()).toEqual([10, 10, 11, 11]);
    expect(third!.slice(2)).toEqual(third!.slice(0, 2));
  });

  test("or those that were found come again, and noise where none was", () => {
    const scarce = sourceOf([2, 5, 5], 4);
    const [first, second, third] = chosenBy(scarce, { experts: judges, turns: 1, rest: "repeated" });
    expect([...first!].sort()).toEqual([0, 0, 1, 1]);
    expect(first!.slice(2)).toEqual(first!.slice(0, 2));
    expect([second, third]).toEqual([Array(4).fill(-1), Array(4).fill(-1)]);
    const images = correctImages(scarce, { experts: judges, turns: 1, rest: "repeated" }, seeded(3));
    const noise = Array.from(images.slice([4, 0, 0, 0], [8, 8, 8, 3]).values());
    const mean = noise.reduce((sum, value) => sum + value, 0) / noise.length;
    const square = noise.reduce((sum, value) => sum + value ** 2, 0) / noise.length;
    expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(noise.length));
    expect(Math.abs(square - 1)).toBeLessThan(5 * Math.sqrt(2 / noise.length));
  });

  test("turns end after as many experts as are asked", () => {
    const [, afterOne] = found({ turns: 1, rest: "repeated" });
    expect(afterOne).toEqual(Array(4).fill(-1));
    const [, afterTwo] = found({ turns: 2, rest: "repeated" });
    expect(new Set(afterTwo).size).toBe(4);
  });
});

test("mosaics are refused", () => {
  const source: Source = { ...toySource(engine), partition: { factor: 2, order: "columns" } };
  const search = { experts: fixedExperts([[1, 0, 0]]), turns: 1, rest: "others" } as const;
  expect(() => correctImages(source, search, seeded(3))).toThrow(
    /objective.initialImages: expected run for images that are mosaics, got correct/,
  );
});
