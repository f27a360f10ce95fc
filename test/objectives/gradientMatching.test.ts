import { afterAll, describe, expect, test } from "@jest/globals";
import type { z } from "zod";
import { seeded } from "../../src/core/rng.ts";
import { augment, parseStrategy } from "../../src/datasets/augment.ts";
import { normalized } from "../../src/datasets/dataset.ts";
import { decoded } from "../../src/datasets/partition.ts";
import type { Tensor, Tree } from "../../src/engines/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { gradientDistances } from "../../src/losses/gradientDistance.ts";
import { dc, dcOptions } from "../../src/objectives/dc.ts";
import { dcc, dccOptions, dsac } from "../../src/objectives/dcc.ts";
import { dsa } from "../../src/objectives/dsa.ts";
import type { GradientDraw } from "../../src/objectives/gradientMatching.ts";
import { descent, type Objective, type Source } from "../../src/objectives/objective.ts";
import { freshModel } from "../../src/training/model.ts";
import { differentiableGradient, parameterGradient } from "../../src/training/parameterGradient.ts";
import { toySource } from "../support/toy.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

const source = toySource(engine);
const augmented: Source = { ...source, augmentation: parseStrategy("color_crop+scale_rotate") };
const images = engine.tensor([6, 8, 8, 3], seeded(1).fillNormal(new Float64Array(6 * 192)));
const loops = { outerLoop: 3, innerLoop: 2 };

const given = (options: z.input<typeof dcOptions> = {}) => dcOptions.parse({ ...loops, ...options });
const contrastive = (options: z.input<typeof dccOptions> = {}) =>
  dccOptions.parse({ ...loops, warmUp: { networks: 1, updates: 2 }, ...options });

/** The draws of the first steps. */
function drawsOf(objective: Objective, on: Source, steps: number): GradientDraw[] {
  let state: Tree = objective.begin!(on, seeded(0), images).state ?? null;
  return Array.from({ length: steps }, (_, step) => {
    const draw = objective.draw(on, seeded(7).stream(`step/${step}`), { step, state });
    state = objective.after!({ images }, draw);
    return draw as GradientDraw;
  });
}

/** Gradient on a class's real images, written out. */
function realOf(label: number, { source: { network, real }, model, batches, augmentations }: GradientDraw) {
  const positions = batches[label]!;
  const pixels = engine.tensor([positions.length, 8, 8, 3], normalized(real, positions));
  const labels = new Int32Array(positions.length).fill(label);
  const batch = { images: augment(pixels, augmentations[label]!), labels };
  return parameterGradient(network, model.parameters, batch);
}

const meanOf = (gradients: readonly (readonly Tensor[])[]): Tensor[] =>
  gradients[0]!.map((_, i) =>
    gradients
      .map((gradient) => gradient[i]!)
      .reduce((sum, part) => sum.add(part))
      .div(gradients.length),
  );

const differ = (a: readonly Tensor[], b: readonly Tensor[]): boolean =>
  a.some((tensor, i) => tensor.sub(b[i]!).square().sum().item() > 0);

describe("class by class", () => {
  test.each(["ours", "mse", "cos"] as const)("the loss is the sum of distances by %s", (distance) => {
    const objective = dsa(given({ realBatch: 5, distance }));
    const draw = drawsOf(objective, augmented, 2)[1]!;
    const { network, parameters } = draw.model;
    const expected = [0, 1, 2].map((label) => {
      const rows = images.slice([2 * label, 0, 0, 0], [2, 8, 8, 3]);
      const batch = { images: augment(rows, draw.augmentations[label]!), labels: [label, label] };
      const synthetic = differentiableGradient(network, parameters, {
        ...batch,
        labels: Int32Array.from(batch.labels),
      });
      return gradientDistances[distance].value(realOf(label, draw), synthetic).item();
    });
    const { value } = descent(objective, { images }, draw);
    expect(value.item()).toBeCloseTo(expected[0]! + expected[1]! + expected[2]!, 10);
  });

  test("the closed form is the gradient of the loss by double backward", () => {
    const objective = dsa(given());
    const draw = drawsOf(objective, augmented, 1)[0]!;
    const { gradients } = engine.gradients((x) => objective.loss({ images: x! }, draw), [images]);
    const closed = descent(objective, { images }, draw).gradients.images!;
    expect(closed.sub(gradients[0]!).abs().max().item()).toBeLessThan(1e-12);
  });

  test("mosaics are decoded first", () => {
    const partition = { factor: 2, order: "columns" } as const;
    const objective = dc(given());
    const draw = drawsOf(objective, { ...source, partition }, 1)[0]!;
    const cells = decoded(images, partition);
    const whole = descent(objective, { images: cells }, {
      ...draw,
      source: { ...source, imagesPerClass: 8 },
    } as GradientDraw);
    expect(descent(objective, { images }, draw).value.item()).toBeCloseTo(whole.value.item(), 10);
  });
});

describe("classes together", () => {
  test("each class counts the same, however many real images it has", () => {
    const objective = dcc(contrastive());
    const draw = drawsOf(objective, source, 3)[2]!; // 9, 6 and 3 real images
    expect(draw.groups).toEqual([[0, 1, 2]]);
    const { network, parameters } = draw.model;
    const real = meanOf([0, 1, 2].map((label) => realOf(label, draw)));
    const synthetic = parameterGradient(network, parameters, { images, labels: source.labels });
    const expected = gradientDistances.ours.value(real, synthetic).item();
    expect(descent(objective, { images }, draw).value.item()).toBeCloseTo(expected, 10);
  });

  test("the real images that do not go through the network at once give the same gradient", () => {
    const objective = dcc(contrastive());
    const draw = drawsOf(objective, source, 3)[2]!;
    const chunked = { ...source, network: { ...source.network, largest: 2 ** 26 / 9 } };
    const [together, apart] = [draw, { ...draw, source: chunked }].map((at) =>
      descent(objective, { images }, at).gradients.images!.values(),
    );
    together!.forEach((value, i) => expect(apart![i]).toBeCloseTo(value, 10));
  });

  test("begins after the warm-up, under any network from an update on, then from the first", () => {
    const groups = drawsOf(dsac(contrastive()), augmented, 5).map((draw) => draw.groups.length);
    expect(groups).toEqual([3, 3, 1, 1, 1]);
    const published = dccOptions.parse({}).warmUp;
    expect(published).toEqual({ networks: 250, updates: 10 });
  });
});

describe("the network", () => {
  test("trains on the synthetic images between updates and is fresh after the last", () => {
    const [first, second, third, fourth] = drawsOf(dc(given()), source, 4);
    expect(differ(first!.model.parameters, second!.model.parameters)).toBe(true);
    expect([first, second, third, fourth].map((draw) => draw!.training?.epochs)).toEqual([
      2,
      2,
      undefined,
      2,
    ]);
    expect(differ(second!.model.parameters, third!.model.parameters)).toBe(true);
    expect(differ(third!.model.parameters, fourth!.model.parameters)).toBe(true);
  });

  test("by one plain SGD step in an epoch of one batch", () => {
    const options = given({ outerLoop: 2, innerLoop: 1, networkTraining: { learningRate: 0.3 } });
    const [first, second] = drawsOf(dc(options), source, 2);
    const { network, parameters } = first!.model;
    const gradient = parameterGradient(network, parameters, { images, labels: source.labels });
    parameters.forEach((part, i) => {
      const expected = part.sub(gradient[i]!.mul(0.3));
      expect(second!.model.parameters[i]!.sub(expected).abs().max().item()).toBeLessThan(1e-12);
    });
  });

  test("with batch norm looks at real images first and then normalizes by running statistics", () => {
    const normed = toySource(engine, { network: { norm: "batch" } });
    const [first, second] = drawsOf(dc(given({ normImages: 2 })), normed, 2);
    const update = { statistics: [engine.fill([4], 0), engine.fill([4], 1)] };
    const positions = normed.classes.flatMap((members, label) => {
      const order = seeded(7).stream("step/0").stream(`norm/${label}`).permutation(members.length);
      return [...order.subarray(0, 2)].map((i) => members[i]!);
    });
    const real = engine.tensor([6, 8, 8, 3], normalized(normed.real, positions));
    normed.network.embed(first!.model.parameters, real, { use: "batch", update });
    update.statistics.forEach((expected, i) => {
      expect([...first!.model.statistics[i]!.values()]).toEqual([...expected.values()]);
    });
    const mode = { use: "running", statistics: first!.model.statistics } as const;
    const expected = [0, 1, 2].map((label) => {
      const rows = (positions: ArrayLike<number>) => normalized(normed.real, positions);
      const members = first!.batches[label]!;
      const [ofReal, ofSynthetic] = [
        engine.tensor([members.length, 8, 8, 3], rows(members)),
        images.slice([2 * label, 0, 0, 0], [2, 8, 8, 3]),
      ].map((values) => {
        const labels = new Int32Array(values.shape[0]!).fill(label);
        return parameterGradient(normed.network, first!.model.parameters, { images: values, labels, mode });
      });
      return gradientDistances.ours.value(ofReal!, ofSynthetic!).item();
    });
    const { value } = descent(dc(given()), { images }, first!);
    expect(value.item()).toBeCloseTo(expected[0]! + expected[1]! + expected[2]!, 10);
    expect(differ(first!.model.statistics, second!.model.statistics)).toBe(true);
  });
});

describe("loops", () => {
  const counts = (objective: Objective, imagesPerClass: number): (number | undefined)[] => {
    const labels = Int32Array.from({ length: 3 * imagesPerClass }, (_, i) => Math.floor(i / imagesPerClass));
    const on = { ...source, imagesPerClass, labels };
    objective.begin!(on, seeded(0), images);
    const { parameters } = freshModel(source.network, engine, seeded(0));
    const state = { parameters, statistics: [] };
    const drawAt = (step: number): GradientDraw =>
      objective.draw(on, seeded(0), { step, state }) as GradientDraw;
    const last = Array.from({ length: 60 }, (_, step) => step).find((step) => !drawAt(step).training);
    return [last! + 1, drawAt(0).training?.epochs];
  };

  test.each([
    [1, [1, undefined], [10, 5]],
    [10, [10, 50], [10, 50]],
    [20, [20, 25], [20, 25]],
    [30, [30, 20], [30, 20]],
    [40, [40, 15], [40, 15]],
    [50, [50, 10], [50, 10]],
  ])("are the published ones at %d images per class", (imagesPerClass, ofDc, ofDcc) => {
    expect(counts(dc(dcOptions.parse({})), imagesPerClass)).toEqual(ofDc);
    expect(counts(dcc(dccOptions.parse({})), imagesPerClass)).toEqual(ofDcc);
  });

  test("must be said where none are published", () => {
    expect(() => counts(dc(dcOptions.parse({})), 7)).toThrow(
      /objective.outerLoop: expected a number, as dc has published loops for 1, 10, 20, 30, 40, 50 images per class only/,
    );
    expect(() => counts(dc(dcOptions.parse({ outerLoop: 2 })), 7)).toThrow(/objective.innerLoop/);
    expect(counts(dc(dcOptions.parse({ outerLoop: 1 })), 7)).toEqual([1, undefined]);
  });
});

test("a method with augmentation is not one without", () => {
  expect(() => dc(given()).begin!(augmented, seeded(0), images)).toThrow(
    /augmentation: expected none for dc, got operations; with operations it is dsa/,
  );
  expect(() => dsac(contrastive()).begin!(source, seeded(0), images)).toThrow(
    /augmentation: expected operations for dsac, got none; with none it is dcc/,
  );
});
