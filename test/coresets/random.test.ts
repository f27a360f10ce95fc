import { expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { randomCoreset } from "../../src/coresets/random.ts";

const classes = [Int32Array.of(3, 5, 8, 9), Int32Array.of(0, 1)];

test("a random coreset holds different images of each class, class after class", () => {
  const chosen = Array.from(randomCoreset(classes, 2, "error", seeded(1)));
  expect(chosen).toHaveLength(4);
  expect(new Set(chosen).size).toBe(4);
  expect([...classes[0]!]).toEqual(expect.arrayContaining(chosen.slice(0, 2)));
  expect([...classes[1]!]).toEqual(expect.arrayContaining(chosen.slice(2)));
});

test("the same seed chooses the same images, another seed others", () => {
  const many = [Int32Array.from({ length: 100 }, (_, i) => i)];
  expect(randomCoreset(many, 10, "error", seeded(1))).toEqual(randomCoreset(many, 10, "error", seeded(1)));
  expect(randomCoreset(many, 10, "error", seeded(1))).not.toEqual(
    randomCoreset(many, 10, "error", seeded(2)),
  );
});

test("a class that is too small is gone through again, each image as often as another or once more", () => {
  const chosen = Array.from(randomCoreset(classes, 3, "duplicate", seeded(1))).slice(3);
  expect(chosen.slice(0, 2).sort()).toEqual([0, 1]);
  expect(chosen[2]).toBe(chosen[0]);
});

test("or is an error that says what to do, where the policy is that", () => {
  expect(() => randomCoreset(classes, 3, "error", seeded(1))).toThrow(
    "class 1: expected at least 3 real images, one for each synthetic one or for each of its cells, got 2; lower imagesPerClass, or set scarcity to duplicate",
  );
});
