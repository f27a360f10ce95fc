import { afterAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { gaussian } from "../../kernels/index.ts";
import { seeded } from "../../src/core/rng.ts";
import { normalized } from "../../src/datasets/dataset.ts";
import { initialImages } from "../../src/distillers/initialize.ts";
import type { Tensor } from "../../src/engines/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { kernelDiscrepancy } from "../../src/losses/kernelDiscrepancy.ts";
import { classMeans } from "../../src/losses/segments.ts";
import { distributionMatching, distributionOptions } from "../../src/objectives/distribution.ts";
import { descent } from "../../src/objectives/objective.ts";
import {
  type ClassFeatures,
  eachClass,
  type Fold,
  foldedMeans,
  keptFeatures,
  rowsOf,
  type Term,
} from "../../src/objectives/term.ts";
import { expectClose } from "../support/close.ts";
import { toySource } from "../support/toy.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

const WIDTH = 3;
const counts = [4, 1, 6, 2];
const labels = counts.flatMap((count, label) => Array.from({ length: count }, () => label));
const values = seeded(1).fillNormal(new Float64Array(labels.length * WIDTH));
const all = engine.tensor([labels.length, WIDTH], values);

/** The rows in chunks, each class after class. */
function chunks(order: readonly number[], size: number): ClassFeatures[] {
  return Array.from({ length: Math.ceil(order.length / size) }, (_, i) => {
    const rows = order.slice(i * size, (i + 1) * size).sort((a, b) => a - b);
    const classes = [...new Set(rows.map((row) => labels[row]!))];
    return {
      values: all.gather(engine.indices(rows)),
      classes,
      counts: classes.map((label) => rows.filter((row) => labels[row] === label).length),
    };
  });
}

/** What a fold's comparison is given after all chunks. */
function folded<S>(fold: Fold<S>, parts: readonly ClassFeatures[]): void {
  fold.comparison(parts.reduce((statistics, part) => fold.add(statistics, part), fold.start));
}

const someChunks = fc
  .tuple(
    fc.shuffledSubarray(
      labels.map((_, row) => row),
      { minLength: labels.length },
    ),
    fc.integer({ min: 1, max: labels.length }),
  )
  .map(([order, size]) => chunks(order, size));

const noLoss = { loss: ({ values }: ClassFeatures) => values.sum() };

test("folded means are the means of all rows, in whatever chunks they come", () => {
  const expected = classMeans(all, counts).values();
  const squares = classMeans(all.square(), counts).values();
  fc.assert(
    fc.property(someChunks, (parts) => {
      let found: ArrayLike<number>[] = [];
      const fold = foldedMeans(
        counts,
        (part) => ({
          first: classMeans(part.values, part.counts),
          second: classMeans(part.values.square(), part.counts),
        }),
        ({ first, second }) => {
          found = [first.values(), second.values()];
          return noLoss;
        },
      );
      folded(fold, parts);
      expectClose(found[0]!, expected, 1e-14);
      expectClose(found[1]!, squares, 1e-14);
    }),
    { seed: 3, numRuns: 30 },
  );
});

test("kept features are all rows of a class, in whatever chunks they come", () => {
  fc.assert(
    fc.property(someChunks, (parts) => {
      const fold = keptFeatures((real) => {
        counts.forEach((count, label) => {
          const begin = labels.indexOf(label) * WIDTH;
          const expected = values.subarray(begin, begin + count * WIDTH);
          // A chunk's rows are sorted, and the chunks are not.
          expect(Array.from(real(label).values()).sort()).toEqual(Array.from(expected).sort());
          expect(real(label).shape).toEqual([count, WIDTH]);
        });
        return noLoss;
      });
      folded(fold, parts);
    }),
    { seed: 4, numRuns: 30 },
  );
  expect.hasAssertions();
});

test("each class is given its own rows", () => {
  const rows = { values: all, classes: [0, 2, 5, 7], counts };
  const parts = eachClass(rows);
  expect(parts.map(({ label }) => label)).toEqual([0, 2, 5, 7]);
  expect(parts.flatMap((part) => Array.from(part.values.values()))).toEqual(Array.from(values));
  expect(parts.map((part) => part.values.shape[0])).toEqual(counts);
});

test("rows of some classes are picked from statistics of all", () => {
  const statistics = engine.tensor([4, 1], [10, 11, 12, 13]);
  expect(Array.from(rowsOf(statistics, [1, 3]).values())).toEqual([11, 13]);
});

describe("a term of Gram matrices", () => {
  const { gram } = gaussian({ scale: 2 });
  const matching: Term = {
    weight: 3,
    prepare: () =>
      keptFeatures((real) => ({
        loss: (synthetic) =>
          eachClass(synthetic)
            .map(({ label, values }) => kernelDiscrepancy(real(label), values, gram))
            .reduce((total, loss) => total.add(loss)),
      })),
  };

  test("is the discrepancy of each class's features, summed and weighted", () => {
    const whole = toySource(engine, { counts: [9, 7, 6, 3] });
    const { real, classes, network } = whole;
    const source = { ...whole, network: { ...network, largest: 2 ** 26 / 4 } }; // four images at once
    const images = initialImages(source, { initialization: "noise", scarcity: "error" }, seeded(2));
    const objective = distributionMatching(
      "kernelMatching",
      [matching],
      distributionOptions.parse({ realBatch: 9 }),
    );
    const draw = objective.draw(source, seeded(3), { step: 0, state: null });
    const losses = classes.map((members, label) => {
      const own = engine.tensor([members.length, 8, 8, 3], normalized(real, members));
      const synthetic = images.slice([2 * label, 0, 0, 0], [2, 8, 8, 3]);
      const embed = (batch: Tensor): Tensor => network.embed(draw.networks.parameters, batch);
      return kernelDiscrepancy(embed(own), embed(synthetic), gram).item();
    });
    const found = descent(objective, { images }, draw);
    expect(found.value.item()).toBeCloseTo(3 * losses.reduce((sum, loss) => sum + loss), 12);
  });
});
