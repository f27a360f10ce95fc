import { afterAll, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import type { Scarcity } from "../../src/coresets/coreset.ts";
import { random } from "../../src/coresets/random.ts";
import { selectEngine } from "../../src/engines/index.ts";
import type { Source } from "../../src/objectives/objective.ts";
import { toySource } from "../support/toy.ts";

const { engine } = await selectEngine("tfjs");
afterAll(() => engine.close());

const source: Source = {
  ...toySource(engine),
  classes: [Int32Array.of(3, 5, 8, 9), Int32Array.of(0, 1)],
};
const classes = source.classes;
const chosenOf = (perClass: number, scarcity: Scarcity, seed = 1, from = source): number[] =>
  Array.from(random().choose(from, { perClass, scarcity }, seeded(seed)).positions);

test("a random coreset holds different images of each class, class after class", () => {
  const chosen = chosenOf(2, "error");
  expect(chosen).toHaveLength(4);
  expect(new Set(chosen).size).toBe(4);
  expect([...classes[0]!]).toEqual(expect.arrayContaining(chosen.slice(0, 2)));
  expect([...classes[1]!]).toEqual(expect.arrayContaining(chosen.slice(2)));
});

test("the same seed chooses the same images, another seed others", () => {
  const many = { ...source, classes: [Int32Array.from({ length: 100 }, (_, i) => i)] };
  expect(chosenOf(10, "error", 1, many)).toEqual(chosenOf(10, "error", 1, many));
  expect(chosenOf(10, "error", 1, many)).not.toEqual(chosenOf(10, "error", 2, many));
});

test("a class that is too small is gone through again, each image as often as another or once more", () => {
  const chosen = chosenOf(3, "duplicate").slice(3);
  expect(chosen.slice(0, 2).sort()).toEqual([0, 1]);
  expect(chosen[2]).toBe(chosen[0]);
});

test("or is an error that says what to do, where the policy is that", () => {
  expect(() => chosenOf(3, "error")).toThrow(
    "class 1: expected at least 3 images to choose from, one for each synthetic one or for each of its cells, got 2; lower imagesPerClass, or set scarcity to duplicate",
  );
});
