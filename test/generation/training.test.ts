import { describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { classIndices, normalized } from "../../src/datasets/dataset.ts";
import type { Tensor, Tree } from "../../src/engines/index.ts";
import type { NamedArrays } from "../../src/formats/array.ts";
import { decodeTree, encodeTree } from "../../src/formats/tree.ts";
import {
  curveOf,
  emaShare,
  fit,
  fitStart,
  type FitState,
  packingOf,
  rateAt,
} from "../../src/generation/fit.ts";
import {
  alphaBars,
  batchesOf,
  centered,
  diffusionModel,
  imagePool,
  minimaxModel,
  minimaxOptions,
  samplingOptions,
  unetOf,
} from "../../src/generation/index.ts";
import type { Preparation, Source } from "../../src/objectives/objective.ts";
import { finished } from "../../src/training/train.ts";
import { describeEngines, engines } from "../support/engines.ts";
import { bands, bandsSource, diceOf, toyModel } from "./toy.ts";

const candidates = await engines();
const quick =
  candidates.find(({ name }) => name === "torch-cpu float32") ?? candidates.find((one) => one.engine);
const engine = quick!.engine!;
const made = new Map<string, NamedArrays>();
const source = bandsSource(engine, made);
const base = toyModel();
const model = diffusionModel(base);

const curve = (arrays: NamedArrays): number[][] => curveOf(arrays["curve"]!);
const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

describe("a toy of three classes", () => {
  test("training lowers the loss far below that of predicting no noise, where a fresh network begins", () => {
    const losses = curve(source.prepared!(model, 0)).map(([loss]) => loss!);
    expect(losses).toHaveLength(5);
    // Of no noise predicted the loss is E ε² = 1.
    expect(losses[0]).toBeGreaterThan(0.6);
    expect(losses.at(-1)).toBeLessThan(0.2);
    expect(losses.at(-1)).toBeLessThan(losses[0]! / 4);
  }, 120_000);

  test("sampled images of each class are nearest to its own mean real image", () => {
    const real = centered(bands());
    const means = classIndices(real).map((members) => {
      const images = normalized(real, members);
      return Array.from({ length: 64 }, (_, p) => meanOf(Array.from(members, (_, i) => images[64 * i + p]!)));
    });
    const sampling = samplingOptions.parse({ imagesPerClass: 8, steps: 10, batchSize: 5 });
    const pool = imagePool(base, model, { sampling, classes: 3 });
    for (const label of [0, 1, 2]) {
      const { shape, data } = source.prepared!(pool, label)["images"]!;
      expect(shape).toEqual([8, 8, 8, 1]);
      for (let i = 0; i < 8; i++) {
        const image = Array.from(data.slice(64 * i, 64 * (i + 1)), Number);
        expect(image.every((value) => Math.abs(value) <= 1 + 1e-6)).toBe(true);
        const distances = means.map((mean) => meanOf(mean.map((value, p) => (value - image[p]!) ** 2)));
        expect(distances.indexOf(Math.min(...distances))).toBe(label);
      }
    }
  }, 120_000);

  test("an image of a pool depends neither on how many there are nor on the size of batches", () => {
    const images = (more: object): number[] => {
      const sampling = samplingOptions.parse({ steps: 4, imagesPerClass: 5, batchSize: 2, ...more });
      const pool = imagePool(base, model, { sampling, classes: 3 });
      return Array.from(
        finished(pool.part(source, 1, diceOf(pool)))["images"]!.data.slice(0, 64 * 3),
        Number,
      );
    };
    const [one, other] = [images({}), images({ imagesPerClass: 3, batchSize: 3 })];
    one.forEach((value, i) => expect(Math.abs(value - other[i]!)).toBeLessThan(1e-4));
    const others = images({ seed: 1 });
    expect(one.some((value, i) => Math.abs(value - others[i]!) > 0.1)).toBe(true);
  });
});

describe("fine-tuning by minimax", () => {
  const tuned = (options: object): number[][] => {
    const chosen = minimaxOptions.parse({
      ...{
        steps: 50,
        batchSize: 12,
        learningRate: 1e-3,
        flip: false,
        memory: 12,
        tMax: 25,
        ema: 0.9,
        ...options,
      },
    });
    return curve(finished(minimaxModel(base, chosen).part(source, 0, seeded(7))));
  };

  test("each weight lowers its own criterion, over the same dice without it", () => {
    const last = (options: object): number[] => tuned(options).at(-1)!;
    const none = { representativeness: 0, diversity: 0 };
    const [, , plainNearness, plainLikeness] = last(none);
    const [, , nearness] = last({ ...none, representativeness: 5 });
    const [, , , likeness] = last({ ...none, diversity: 5 });
    expect(nearness).toBeLessThan(0.92 * plainNearness!);
    expect(likeness).toBeLessThan(plainLikeness! - 0.01);
  }, 120_000);

  test("the loss is the error with the weighted criteria, whatever images are compared by", () => {
    const encoder = { network: { name: "convNet", depth: 1, width: 4 }, epochs: 1 };
    for (const center of ["none", "classMean", "encoder"]) {
      const [point] = tuned({
        steps: 25,
        center,
        encoder,
        representativeness: 0.5,
        diversity: 0.25,
        tMax: undefined,
      });
      const [loss, error, representativeness, diversity] = point!;
      expect(loss).toBeCloseTo(error! + 0.5 * representativeness! + 0.25 * diversity!, 5);
      expect(representativeness).toBeGreaterThan(0);
      expect(representativeness).toBeLessThan(2);
    }
  }, 120_000);

  test("of the biases alone, all other parameters stay as they were", () => {
    const before = source.prepared!(model, 0);
    const chosen = minimaxOptions.parse({
      steps: 3,
      batchSize: 6,
      parameters: "biases",
      learningRate: 1e-3,
      ema: 0,
    });
    const after = finished(minimaxModel(base, chosen).part(source, 0, seeded(7)));
    const names = Object.keys(after).filter((name) => name.startsWith("ema/"));
    const changed = names.filter((name) => String(after[name]!.data) !== String(before[name]!.data));
    expect(changed).toEqual(names.filter((name) => /(bias|scale|shift|class\.table)$/.test(name)));
  });
});

describe("a part that is cut off", () => {
  /** Runs a part until it has reported so often, as a process that is killed then, and goes on from its checkpoint. */
  const cutOff = (preparation: Preparation, from: Source, after: number, part = 0): NamedArrays => {
    const run = preparation.part(from, part, diceOf(preparation));
    let state: Uint8Array | undefined;
    for (let i = 0; i < after; i++) {
      const next = run.next();
      if (!next.done) state = encodeTree(next.value.state!);
    }
    run.return(undefined as never);
    return finished(preparation.part(from, part, diceOf(preparation), decodeTree(state!, engine).tree));
  };
  const whole = (preparation: Preparation, from: Source, part = 0): NamedArrays =>
    finished(preparation.part(from, part, diceOf(preparation)));

  const short = toyModel({ steps: 27, batchSize: 4 });
  const tuning = minimaxModel(base, minimaxOptions.parse({ steps: 6, batchSize: 6, memory: 4, tMax: 30 }));
  const sampling = samplingOptions.parse({ imagesPerClass: 5, steps: 4, batchSize: 3, eta: 0.5 });
  test.each([
    ["training", diffusionModel(short), 26],
    [
      "training with dropout",
      diffusionModel({ ...toyModel({ steps: 4 }), network: { ...short.network, dropout: 0.2 } }),
      2,
    ],
    ["fine-tuning", tuning, 3],
    ["sampling", imagePool(base, model, { sampling, classes: 3 }), 6],
  ] as const)(
    "%s: goes on to the same bits",
    (_, preparation, after) => {
      expect(cutOff(preparation, source, after)).toEqual(whole(preparation, source));
    },
    120_000,
  );

  test("a longer training goes on from a shorter one to the same bits as from its start", () => {
    const longer = (continues?: number): NamedArrays =>
      whole(diffusionModel(toyModel({ steps: 28, batchSize: 4, continues })), bandsSource(engine));
    expect(longer(24)).toEqual(longer());
    expect(() => diffusionModel(toyModel({ steps: 40, continues: 40 }))).toThrow(
      "training.continues: expected fewer than the 40 steps of the training, got 40",
    );
  }, 120_000);
});

describeEngines(candidates, (engine) => {
  test("nothing leaks, of parts that are finished or given up", () => {
    const source = bandsSource(engine);
    const short = toyModel({ steps: 3 });
    const encoder = { network: { name: "convNet", depth: 1, width: 4 }, epochs: 1 };
    const chosen = { steps: 3, batchSize: 6, center: "encoder", encoder };
    const sampling = samplingOptions.parse({ imagesPerClass: 3, steps: 2, batchSize: 2 });
    const parts = [
      diffusionModel(short),
      minimaxModel(short, minimaxOptions.parse(chosen)),
      imagePool(short, diffusionModel(short), { sampling, classes: 3 }),
    ];
    for (const part of parts) {
      const before = engine.liveTensors();
      finished(part.part(source, 0, seeded(1)));
      expect(engine.liveTensors()).toBe(before);
      const run = part.part(source, 0, seeded(1));
      run.next();
      const { state } = run.next().value as { state: Tree };
      const restored = decodeTree(encodeTree(state), engine).tree;
      run.return(undefined as never);
      expect(engine.liveTensors()).toBeGreaterThan(before); // those restored
      const again = part.part(source, 0, seeded(1), restored);
      again.next();
      again.return(undefined as never);
      expect(engine.liveTensors()).toBe(before);
    }
  }, 120_000);
});

describe("dice of a step", () => {
  const unet = unetOf(source, base.network);
  const bars = alphaBars(base.schedule);
  const drawn = (options: object, step = 0) =>
    batchesOf(
      source,
      { unet, bars, options: { batchSize: 500, labelDropout: 0, flip: false, ...options } },
      seeded(2),
    )(step);

  test("the class is withheld from the asked share of the images, and known all the same", () => {
    engine.scope(() => {
      const { labels, classes } = drawn({ labelDropout: 0.1 });
      const untold = labels.filter((label, i) => label !== classes[i]);
      expect(untold.every((label) => label === 3)).toBe(true);
      expect(Math.abs(untold.length / 500 - 0.1)).toBeLessThan(5 * Math.sqrt(0.09 / 500));
      expect(drawn({}).labels).toEqual(drawn({}).classes);
    });
  });

  test("times are uniform, noise is normal, and images come in turn", () => {
    engine.scope(() => {
      const { times, noise, classes } = drawn({});
      expect(Math.min(...times)).toBe(0);
      expect(Math.max(...times)).toBe(49);
      expect(Math.abs(meanOf(Array.from(times)) - 24.5)).toBeLessThan(5 * Math.sqrt(2499 / 12 / 500));
      const values = Array.from(noise.values());
      expect(Math.abs(meanOf(values.map((value) => value * value)) - 1)).toBeLessThan(
        5 * Math.sqrt(2 / values.length),
      );
      // 36 images: 13 times all of them, and 32 more.
      for (const label of [0, 1, 2])
        expect(Math.abs(classes.filter((one) => one === label).length - 500 / 3)).toBeLessThan(7);
    });
  });

  test("half of the images are mirrored where that is asked for", () => {
    const { real } = source;
    const lopsided = { ...real, pixels: Uint8Array.from(real.pixels, (_, i) => (i % 8 < 4 ? 255 : 0)) };
    const at = batchesOf(
      { engine, real: lopsided },
      { unet, bars, options: { batchSize: 400, labelDropout: 0, flip: true } },
      seeded(2),
    );
    engine.scope(() => {
      const values = at(0).images.values();
      const rows = Array.from({ length: 400 }, (_, i) => Array.from(values.slice(64 * i, 64 * i + 8)));
      const plain = [1, 1, 1, 1, -1, -1, -1, -1];
      const mirrored = rows.filter((row) => row[0] === -1);
      for (const row of rows) expect(row).toEqual(row[0] === 1 ? plain : [...plain].reverse());
      expect(Math.abs(mirrored.length / 400 - 0.5)).toBeLessThan(5 * Math.sqrt(0.25 / 400));
    });
  });

  test("whitened images are refused", () => {
    const whitening = {
      mean: new Float32Array(1),
      matrix: new Float32Array(1),
      inverse: new Float32Array(1),
    };
    expect(() => centered({ ...bands(), whitening })).toThrow(
      "expected images that are not whitened; leave out zca",
    );
  });
});

describe("a fit", () => {
  const options = { steps: 40, learningRate: 0.1, warmUp: 4, clip: 1, ema: 0.5 };
  /** L = slope · θ. */
  const line = (slope: number) => ({
    name: "line",
    terms: ["loss"],
    begin: null,
    draw: () => ({
      loss: ([theta]: readonly { mul(by: number): { sum(): never } }[]) => theta!.mul(slope).sum(),
      after: () => ({ terms: [engine.fill([], slope)], own: null }),
    }),
  });
  const packing = packingOf([{ name: "theta", shape: [1], initial: { constant: 0 } }]);
  const run = (slope: number, more: object = {}): FitState[] => {
    const problem = line(slope) as never;
    const states: FitState[] = [];
    const start = fitStart(engine.fill([1], 0), problem);
    for (const state of fit(start, problem, { ...options, ...more, packing }))
      states.push({ ...state, theta: state.theta.item() as never, ema: state.ema.item() as never });
    return states;
  };

  test("the rate rises over the warm-up and stays", () => {
    expect([0, 1, 3, 4, 99].map((step) => rateAt(step, options))).toEqual([0.025, 0.05, 0.1, 0.1, 0.1]);
    expect(rateAt(0, { ...options, warmUp: 0 })).toBe(0.1);
    // On a constant gradient Adam's step is its rate.
    const thetas = run(-1).map(({ theta }) => theta as unknown as number);
    expect(thetas[0]).toBeCloseTo(0.025, 5);
    expect(thetas[39]).toBeCloseTo(0.025 + 0.05 + 0.075 + 37 * 0.1, 4);
  });

  test("the average keeps (1 + s)/(10 + s) of itself, and at most what is asked", () => {
    expect([0, 1, 8, 1e6].map((step) => emaShare(step, 0.9999))).toEqual([0.1, 2 / 11, 0.5, 0.9999]);
    const states = run(-1);
    let average = 0;
    states.forEach(({ theta, ema }, step) => {
      const share = Math.min(0.5, (1 + step) / (10 + step));
      average = share * average + (1 - share) * (theta as unknown as number);
      expect(ema).toBeCloseTo(average, 4);
    });
  });

  test("a loss that is not finite stops it, with what to do", () => {
    expect(() => run(NaN)).toThrow(
      /^line: expected a finite loss, got NaN at step 25; lower the learning rate/,
    );
  });

  test("so does one after the last whole point of the curve", () => {
    expect(() => run(NaN, { steps: 3 })).toThrow(
      /^line: expected finite parameters and loss after step 3, got others/,
    );
  });

  test("a gradient longer than the clip counts as one of its length, a shorter one as it is", () => {
    // Adam takes no notice of a constant factor but for ε, so the moments tell.
    const mean = (slope: number): number => {
      const problem = line(slope) as never;
      const start = fitStart(engine.fill([4], 0), problem);
      const four = packingOf([{ name: "theta", shape: [4], initial: { constant: 0 } }]);
      const { value } = fit(start, problem, { ...options, steps: 1, packing: four }).next();
      const { mean } = value!.adam as { readonly mean: Tensor };
      return mean.values()[0]! / 0.1;
    };
    expect(mean(3)).toBeCloseTo(0.5, 5); // 3·√4 = 6 to 1, each of four 1/2
    expect(mean(0.25)).toBeCloseTo(0.25, 5);
  });
});
