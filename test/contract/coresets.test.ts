import { afterAll, describe, expect, test } from "@jest/globals";
import { parsed } from "../../src/core/parse.ts";
import { seeded } from "../../src/core/rng.ts";
import { type Asked, type Coreset } from "../../src/coresets/coreset.ts";
import { type CoresetName, coresets } from "../../src/coresets/index.ts";
import { subset } from "../../src/datasets/dataset.ts";
import { coresetOf, initializationOption } from "../../src/distillers/initialize.ts";
import { selectEngine } from "../../src/engines/index.ts";
import type { Source } from "../../src/objectives/objective.ts";
import { smallOptions } from "../support/smallOptions.ts";
import { toySource } from "../support/toy.ts";

const { engine } = await selectEngine("tfjs");
afterAll(() => engine.close());

const source = toySource(engine); // 9, 6 and 3 images
const two: Asked = { perClass: 2, scarcity: "error" };

/** Real images in reverse, each twice. */
const reversed = Array.from({ length: 36 }, (_, i) => 17 - (i % 18));
const pooled: Source = { ...source, pool: subset(source.real, reversed) };
/** Those that only real images can be chosen by. */
const withoutPool: readonly CoresetName[] = ["forgetting"];

describe.each(Object.keys(coresets) as CoresetName[])("%s", (name) => {
  const coreset: Coreset = coresetOf(smallOptions(parsed("name", initializationOption, { name })))!;
  const choose = (asked = two, seed = 1, from = source): number[] =>
    Array.from(coreset.choose(from, asked, seeded(seed)).positions);

  test("chooses different images of each class, class after class", () => {
    const positions = choose();
    expect(Array.from(positions, (at) => source.real.labels[at])).toEqual([0, 0, 1, 1, 2, 2]);
    expect(new Set(positions).size).toBe(6);
  });

  test("chooses the same by the same dice", () => {
    expect(choose()).toEqual(choose());
  });

  test("takes all images of a class that has just enough", () => {
    expect(choose({ perClass: 3, scarcity: "error" }).slice(6).sort()).toEqual(
      Array.from(source.classes[2]!),
    );
  });

  test("repeats the images of a class that has too few, or says so", () => {
    const positions = choose({ perClass: 4, scarcity: "duplicate" }).slice(8);
    expect(new Set(positions)).toEqual(new Set(source.classes[2]));
    expect(() => choose({ perClass: 4, scarcity: "error" })).toThrow(/class 2: expected at least 4 images/);
  });

  test("keeps of how it chose what JSON can hold", () => {
    const { record = {} } = coreset.choose(source, two, seeded(1));
    expect(JSON.parse(JSON.stringify(record))).toEqual(record);
  });

  test("leaves no tensors behind", () => {
    choose();
    const before = engine.liveTensors();
    choose();
    expect(engine.liveTensors()).toBe(before);
  });

  const chooses = withoutPool.includes(name) ? "refuses a pool" : "chooses from a pool";
  test(chooses, () => {
    if (withoutPool.includes(name)) {
      expect(() => choose(two, 1, pooled)).toThrow(/expected no pool/);
      return;
    }
    const positions = choose(two, 1, pooled);
    expect(positions.map((at) => pooled.pool!.labels[at])).toEqual([0, 0, 1, 1, 2, 2]);
    expect(new Set(positions).size).toBe(6);
  });
});
