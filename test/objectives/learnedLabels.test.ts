import { afterAll, describe, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { decoded, type Partition } from "../../src/datasets/partition.ts";
import type { Tensor } from "../../src/engines/index.ts";
import { experts, expertOf, expertOptions } from "../../src/objectives/experts.ts";
import { initialLogits, softmaxLabels } from "../../src/objectives/learnedLabels.ts";
import type { Source } from "../../src/objectives/objective.ts";
import { expectClose } from "../support/close.ts";
import { engines, exactEngine } from "../support/engines.ts";
import { toySource } from "../support/toy.ts";
import { fixedExperts } from "./fixedExperts.ts";

const candidates = await engines();
const engine = exactEngine(candidates)!;
afterAll(() => candidates.forEach((candidate) => candidate.engine?.close()));

const source = toySource(engine);
const imagesOf = ({ labels }: Source): Tensor =>
  engine.tensor([labels.length, 8, 8, 3], seeded(4).fillNormal(new Float64Array(labels.length * 192)));
const images = imagesOf(source);

test("logits start at the mean over the experts that are right, and at 0 where none is", () => {
  // Two images of each class: experts 0 and 2 are right about class 0, expert 1 about class 1, none about class 2.
  const judges = fixedExperts([
    [3, 1, 0],
    [0, 2, 1],
    [5, 0, 0],
  ]);
  const mean = initialLogits(source, judges, images, "correct");
  expectClose(mean.values(), [4, 0.5, 0, 4, 0.5, 0, 0, 2, 1, 0, 2, 1, 0, 0, 0, 0, 0, 0], 1e-12);
  const probabilities = softmaxLabels({ images, labelLogits: mean });
  expectClose(probabilities.values().slice(12), Array<number>(6).fill(1 / 3), 1e-12);
});

test("or at what the first expert says", () => {
  const judges = fixedExperts([
    [3, 1, 0],
    [0, 2, 1],
  ]);
  const first = initialLogits(source, judges, images, "first");
  expectClose(first.values(), Array<number[]>(6).fill([3, 1, 0]).flat(), 1e-12);
});

describe("of trained experts", () => {
  const options = expertOptions.parse({ count: 2, epochs: 3, learningRate: 0.3 });
  const judges = experts(options, { first: 0, last: 1, final: true });

  test("the parameters after the last epoch count, however few images go through the network at once", () => {
    const { network, ...expert } = expertOf(source, judges, 0);
    const expected = network.logits(expert.snapshot(3), images).values();
    const narrow: Source = { ...source, network: { ...source.network, largest: 2 ** 26 / 4 } };
    for (const on of [source, narrow]) {
      expectClose(initialLogits(on, judges, images, "first").values(), expected, 1e-12);
    }
  });

  test("a mosaic's logits are the means over its cells", () => {
    const partition: Partition = { factor: 2, order: "columns" };
    const { network, ...expert } = expertOf(source, judges, 0);
    const cells = network.logits(expert.final(), decoded(images, partition)).values();
    const expected = Array.from({ length: 18 }, (_, i) => {
      const [image, label] = [Math.floor(i / 3), i % 3];
      return [0, 1, 2, 3].reduce((sum, cell) => sum + cells[(4 * image + cell) * 3 + label]! / 4, 0);
    });
    expectClose(initialLogits({ ...source, partition }, judges, images, "first").values(), expected, 1e-12);
  });
});
