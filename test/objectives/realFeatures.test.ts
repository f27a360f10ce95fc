import { afterAll, describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { normalized } from "../../src/datasets/dataset.ts";
import { initialImages } from "../../src/distillers/initialize.ts";
import type { Tensor } from "../../src/engines/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { imagesAtOnce } from "../../src/networks/network.ts";
import { csdm, csdmOptions } from "../../src/objectives/csdm.ts";
import { distributionMatching, distributionOptions } from "../../src/objectives/distribution.ts";
import { dm, dmOptions } from "../../src/objectives/dm.ts";
import { descent, type Learned, type Objective, type Source } from "../../src/objectives/objective.ts";
import { keptFeatures, type Term } from "../../src/objectives/term.ts";
import { difficultyCorrection, difficultyCorrectionOptions } from "../../src/plugins/difficultyCorrection.ts";
import { expectClose } from "../support/close.ts";
import { peakElements } from "../support/memory.ts";
import { toySource } from "../support/toy.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

const fortyReal = distributionOptions.parse({ realBatch: 40 });
const firstStep = { step: 0, state: null };

/** The source with a network that takes so many images at once. */
function taking(images: number, source: Source): Source {
  const network = { ...source.network, largest: 2 ** 26 / images };
  expect(imagesAtOnce(network)).toBe(images);
  return { ...source, network };
}

/** The source with the batches that its network embeds: their sizes, and all images in them. */
function spied(source: Source): { source: Source; sizes: number[]; images: string[] } {
  const sizes: number[] = [];
  const images: string[] = [];
  const embed: Source["network"]["embed"] = (theta, batch, mode) => {
    const count = batch.shape[0]!;
    const values = Array.from(batch.detach().values());
    const size = values.length / count;
    sizes.push(count);
    for (let i = 0; i < count; i++) images.push(values.slice(i * size, (i + 1) * size).join());
    return source.network.embed(theta, batch, mode);
  };
  return { source: { ...source, network: { ...source.network, embed } }, sizes, images };
}

/** Notes the real features of every class, and what it picked, beside a loss of 0. */
function recorder(pick?: Term["pick"]): { term: Term; real: number[][]; picked: number[]; counts: number[] } {
  const seen = { real: [] as number[][], picked: [] as number[], counts: [] as number[] };
  const term: Term = {
    weight: 1,
    ...(pick && { pick }),
    prepare({ counts, picked }) {
      seen.counts.push(...counts);
      if (picked) seen.picked.push(...picked.values());
      return keptFeatures((real) => {
        seen.real.push(...counts.map((_, label) => Array.from(real(label).values())));
        return { loss: (synthetic) => synthetic.values.sum().mul(0) };
      });
    },
  };
  return { term, ...seen };
}

function learnedOf(source: Source): Learned {
  return { images: initialImages(source, { initialization: "noise", scarcity: "error" }, seeded(1)) };
}

const spectral = csdm(csdmOptions.parse({ realBatch: 30, frequencies: 16, bandwidth: { points: 10 } }));

describe("the real images of a step", () => {
  const counts = [70, 30, 5, 1];
  const whole = toySource(engine, { counts });

  test.each([
    ["in chunks smaller than a class", 8],
    ["in chunks that span classes", 50],
    ["in one chunk", 200],
  ])("%s are each embedded once", (_, size) => {
    const { source, sizes, images } = spied(taking(size, whole));
    spectral.draw(source, seeded(2), firstStep);
    const total = 30 + 30 + 5 + 1;
    expect(new Set(images).size).toBe(total);
    expect(sizes).toEqual([
      ...Array.from({ length: Math.floor(total / size) }, () => size),
      ...(total % size > 0 ? [total % size] : []),
    ]);
  });

  test("are one batch under batch norm", () => {
    const { source, sizes } = spied(taking(8, toySource(engine, { counts, network: { norm: "batch" } })));
    spectral.draw(source, seeded(2), firstStep);
    expect(sizes).toEqual([66]);
  });

  /** Features of each class, flat, in the order of its batch. */
  const featuresIn = (size: number): number[][] => {
    const { term, real } = recorder();
    const objective = distributionMatching("recorder", [term], fortyReal);
    objective.draw(taking(size, whole), seeded(3), firstStep);
    return real;
  };

  test("have the same features in any chunks", () => {
    const together = featuresIn(200);
    expect(together.map(({ length }) => length / whole.network.width)).toEqual([40, 30, 5, 1]);
    for (const size of [1, 7, 32]) {
      featuresIn(size).forEach((features, label) => expectClose(features, together[label]!, 1e-13));
    }
  });

  test("are seen by a term that picks some before it takes any in, in its order", () => {
    const picks = [65, 0, 41, 3];
    const first = recorder(() => Int32Array.from(picks));
    const second = recorder((count, rng) => rng.permutation(count).subarray(0, 9));
    const { source, sizes, images } = spied(taking(2, whole));
    const objective = distributionMatching("recorder", [first.term, second.term], fortyReal);
    objective.draw(source, seeded(3), firstStep);
    const { width } = source.network;
    const rows = featuresIn(200).flat();
    expectClose(
      first.picked,
      picks.flatMap((row) => rows.slice(row * width, (row + 1) * width)),
      1e-13,
    );
    expect(second.picked).toHaveLength(9 * width);
    expect(second.real).toEqual(first.real);
    expect(sizes).toEqual(Array.from({ length: 38 }, () => 2));
    expect(new Set(images).size).toBe(76);
  });

  test("no more of a class than it has", () => {
    const { term, counts } = recorder();
    distributionMatching("recorder", [term], distributionOptions.parse({ realBatch: 6 })).draw(
      whole,
      seeded(1),
      firstStep,
    );
    expect(counts).toEqual([6, 6, 5, 1]);
  });
});

describe("under batch norm, the features of real images", () => {
  test("are those of one batch of all classes", () => {
    const counts = [20, 18, 9, 4, 1];
    const source = toySource(engine, { counts, network: { norm: "batch" } });
    const { term, real } = recorder(() => Int32Array.of(50, 3));
    const objective = distributionMatching("recorder", [term], distributionOptions.parse({ realBatch: 100 }));
    const theta = objective.draw(source, seeded(4), firstStep).networks.parameters;
    const everything = normalized(
      source.real,
      source.real.labels.map((_, i) => i),
    );
    const { width } = source.network;
    const whole = source.network.embed(theta, engine.tensor([52, 8, 8, 3], everything));
    counts.reduce((begin, count, label) => {
      // Class sums do not depend on the order in which a class was drawn.
      const expected = whole.slice([begin, 0], [count, width]).sum(0);
      expectClose(engine.tensor([count, width], real[label]!).sum(0).values(), expected.values(), 1e-12);
      return begin + count;
    }, 0);
  });
});

describe("the gradient by groups of classes", () => {
  const augmentation = ["color", "crop", "cutout", "flip", "scale", "rotate"] as const;
  const whole: Source = { ...toySource(engine, { counts: [40, 30, 20, 9, 5, 3, 3] }), augmentation };
  const learned = learnedOf(whole);

  test.each([
    ["dm", dm(dmOptions.parse({ realBatch: 20 }))],
    ["csdm", spectral],
    ["csdm with unbiased targets", csdm(csdmOptions.parse({ frequencies: 9, amplitudeTarget: "unbiased" }))],
    [
      "dm with a penalty",
      difficultyCorrection(difficultyCorrectionOptions.parse({ weight: 0.3, norm: "l2" }))(
        dm(dmOptions.parse({ realBatch: 20 })),
      ),
    ],
  ] as [string, Objective][])("of %s is that of the loss", (_, objective) => {
    for (const [size, groups] of [
      [1, 7], // a class of two images goes alone
      [5, 4],
      [6, 3],
      [50, 1],
    ] as const) {
      const { source, sizes } = spied(taking(size, whole));
      const draw = objective.draw(source, seeded(5), firstStep);
      sizes.length = 0;
      const found = descent(objective, learned, draw);
      expect(sizes).toHaveLength(groups);
      const expected = engine.gradients(
        (images: Tensor) => objective.loss({ images }, draw),
        [learned.images],
      );
      expect(sizes.at(-1)).toBe(14);
      expect(found.value.item()).toBeCloseTo(expected.value.item(), 10);
      expectClose(found.gradients.images!.values(), expected.gradients[0]!.values(), 1e-10);
    }
  });
});

describe("the memory of a step", () => {
  const perClass = 12;
  const frequencies = 16;

  const perClassImages = 2 * 192;

  test.each([
    ["dm", dm(dmOptions.parse({ realBatch: perClass })), 64, 2],
    ["csdm", csdm(csdmOptions.parse({ frequencies, bandwidth: { points: 10 } })), 2 * frequencies, 2],
    // All augmented images beside their gradient; and the classifier's row in each gradient of the parameters.
    [
      "dm with a penalty",
      difficultyCorrection(difficultyCorrectionOptions.parse({ weight: 0.3, norm: "l2" }))(
        dm(dmOptions.parse({ realBatch: perClass })),
      ),
      64,
      5,
    ],
  ] as [string, Objective, number, number][])(
    "of %s grows with the number of classes by their statistics and images alone",
    (_, objective, statistics, copies) => {
      const peaks = (classes: number): { draw: number; descent: number } => {
        const counts = Array.from({ length: classes }, () => perClass);
        const source = taking(8, toySource(engine, { counts }));
        const learned = learnedOf(source);
        const draw = objective.draw(source, seeded(6), firstStep);
        return {
          draw: peakElements(engine, () => objective.draw(source, seeded(6), firstStep)),
          descent: peakElements(engine, () => descent(objective, learned, draw)),
        };
      };
      const [few, many] = [peaks(10), peaks(100)];
      // Old statistics, new ones and what is added to them; and the classifier's row.
      const classifier = 64 + 1;
      expect(many.draw - few.draw).toBeLessThan(90 * (4 * statistics + classifier));
      // The gradient in parts and put together. Embeddings of all real images would be 12 · 64 for each class, and the
      // graph of all synthetic ones over 3000.
      expect(many.descent - few.descent).toBeLessThan(90 * (copies * perClassImages + statistics));
    },
  );
});
