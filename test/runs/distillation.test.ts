import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { readArtifact } from "../../experiments/artifact.ts";
import { distillExperiment } from "../../experiments/commands/distill.ts";
import { evaluateRun } from "../../experiments/commands/evaluate.ts";
import { resolveExperiment } from "../../experiments/config.ts";
import {
  arraysOf,
  type Dataset,
  datasets,
  distillationOf,
  type DistillationRun,
  evaluationOf,
  type InMemoryOptions,
  InputError,
  methodOf,
  pixelsOf,
  type NamedArrays,
  type Preparation,
  readSafetensors,
  seeded,
  selectEngine,
  setFrom,
  sgd,
  writeSafetensors,
} from "../../src/index.ts";
import { toyDataset } from "../support/toy.ts";

const { engine } = await selectEngine("tfjs-wasm");
const real: Dataset = toyDataset();
const small = { engine, network: { name: "convNet", depth: 1, width: 4 }, imagesPerClass: 2 } as const;
const options = {
  ...small,
  objective: { name: "csdm", kernel: "matern32", frequencies: 16 },
  steps: 4,
} as const satisfies InMemoryOptions;

function started(change: Partial<InMemoryOptions> = {}): DistillationRun {
  return distillationOf(real, { ...options, ...change });
}

afterAll(() => {
  engine.close();
});

test("steps class after class where that is asked for, by an optimizer of one's own as well", () => {
  const imagesOf = (change: Partial<InMemoryOptions>): unknown => started(change).finish().images;
  const perClass = { stepping: "perClass" } as const;
  const found = imagesOf(perClass);
  expect(
    imagesOf({ ...perClass, optimizer: sgd({ learningRate: 1, momentum: 0.5, weightDecay: 0 }) }),
  ).toEqual(found);
  expect(imagesOf({})).not.toEqual(found);
  // Without momentum nothing carries the other classes on.
  const plain = { optimizer: { name: "sgd", learningRate: 1 } } as const;
  expect(imagesOf({ ...plain, ...perClass })).toEqual(imagesOf(plain));
});

test("a run in memory gives the images, and the evaluation the accuracy, of the same run of the command line", async () => {
  const results = mkdtempSync(join(tmpdir(), "distillery-runs-"));
  const data = { classes: 3, trainPerClass: 8, testPerClass: 4, side: 8 };
  const experiment = resolveExperiment("same", {
    data: { name: "procedural", ...data },
    objective: { name: "csdm", kernel: "matern32", frequencies: 16 },
    plugins: ["difficultyCorrection"],
    network: { depth: 1, width: 4 },
    imagesPerClass: 2,
    steps: 3,
    seeds: [5],
    evaluation: { protocol: "quick", networks: 2 },
  });
  const [folder] = await distillExperiment(experiment, engine, { results, force: false });
  const filed = readArtifact(folder!);
  const rows = await evaluateRun(folder!, engine, { force: false });

  const { train, test } = datasets.procedural.read(data);
  const run = distillationOf(train, {
    ...options,
    plugins: ["difficultyCorrection"],
    steps: 3,
    seed: 5,
  });
  const synthetic = run.finish();
  expect(synthetic.images).toEqual(filed.images);
  expect(synthetic.labels).toEqual(filed.labels);
  const { networks } = evaluationOf(synthetic, test, { engine, protocol: "quick", networks: 2 }).finish();
  const digits = ({ accuracy }: { readonly accuracy: number }): string => accuracy.toFixed(6); // those of a row
  expect(networks.map(digits)).toEqual(rows.map(digits));
});

test("a loop that is left early can be taken up again, and a checkpoint in another run, to the same bits", () => {
  const whole = started().finish();
  const parted = started();
  for (const { step } of parted) if (step === 2) break;
  expect(parted.step).toBe(2);
  const checkpoint = parted.checkpoint();
  expect([...parted].map(({ step }) => step)).toEqual([3, 4]);
  expect(parted.synthetic()).toEqual(expect.objectContaining({ images: whole.images }));
  const resumed = started({ checkpoint });
  expect(resumed.step).toBe(2);
  expect(resumed.finish().images).toEqual(whole.images);
});

test("steps report a loss, a gradient norm and what the method measures", () => {
  const reports = [...started({ steps: 2 })];
  expect(reports.map(({ step }) => step)).toEqual([1, 2]);
  for (const { loss, gradientNorm, metrics } of reports) {
    expect(loss).toBeGreaterThan(0);
    expect(gradientNorm).toBeGreaterThan(0);
    expect(metrics.bandwidth).toBeGreaterThan(0);
  }
});

test("seeds differ, and the default is 0", () => {
  const at = (change: Partial<InMemoryOptions>): Float32Array =>
    started({ steps: 1, ...change }).finish().images;
  expect(at({})).toEqual(at({ seed: 0 }));
  expect(at({})).not.toEqual(at({ seed: 1 }));
});

test("an objective, a network, a plugin and an optimizer of the caller's own take the place of a name", () => {
  const named = started({ objective: "dm", steps: 2 }).finish();
  const calls: string[] = [];
  const objective = methodOf({ name: "dm", realBatch: 256 });
  const own = started({
    objective: {
      ...objective,
      draw(source, rng, at) {
        calls.push("objective");
        return objective.draw(source, rng, at);
      },
    },
    network: named.network,
    optimizer: sgd({ learningRate: 1, momentum: 0.5, weightDecay: 0 }),
    plugins: [
      (inner) => {
        calls.push("plugin");
        return inner;
      },
    ],
    steps: 2,
  }).finish();
  expect(calls).toEqual(["plugin", "objective", "objective"]);
  expect(own.images).toEqual(named.images);
});

test("what a method prepares is made part by part when it is asked for, once, from the dice of any run", () => {
  const objective = methodOf({ name: "dm", realBatch: 256 });
  const made: number[] = [];
  const rolled = new Set<number>();
  const numbers: Preparation = {
    name: "numbers",
    options: {},
    parts: 3,
    *part(_, index, rng) {
      made.push(index);
      yield { share: 0.5 };
      return { value: { shape: [1], data: Float64Array.of(rng.uniform()) } };
    },
  };
  const run = started({
    objective: {
      ...objective,
      preparations: [numbers],
      draw(source, rng, at) {
        rolled.add(source.prepared!({ ...numbers }, at.step % 2).value!.data[0] as number);
        return objective.draw(source, rng, at);
      },
    },
    seed: 3,
    steps: 4,
  });
  run.finish();
  expect(made).toEqual([0, 1]);
  const expected = [0, 1].map((part) => seeded(0).stream(`preparation/numbers/${part}`).uniform());
  expect([...rolled]).toEqual(expected);
});

test("a part reads the parts of its own number that it needs, which are made once", () => {
  const objective = methodOf({ name: "dm", realBatch: 256 });
  const made: string[] = [];
  const numbers = (name: string, needs: readonly Preparation[] = []): Preparation => ({
    name,
    options: {},
    parts: 2,
    needs,
    *part(source, index) {
      made.push(`${name} ${index}`);
      yield { share: 0.5 };
      const needed = needs.map((need) => source.prepared!(need, index).value!.data[0] as number);
      return { value: { shape: [1], data: Float64Array.of(needed.reduce((a, b) => a + b, index + 1)) } };
    },
  });
  const first = numbers("first");
  const second = numbers("second", [first]);
  const third = numbers("third", [first, second]);
  let last: NamedArrays = {};
  const run = started({
    objective: {
      ...objective,
      preparations: [third],
      draw(source, rng, at) {
        last = source.prepared!(third, 1);
        return objective.draw(source, rng, at);
      },
    },
    steps: 2,
  });
  run.finish();
  expect(last.value!.data).toEqual(Float64Array.of(2 + 2 + (2 + 2)));
  expect(made).toEqual(["third 1", "first 1", "second 1"]);
});

test("what a method learns beside the images comes under plain names, and the set goes into a file and back", () => {
  const objective = methodOf({ name: "dm", realBatch: 256 });
  const run = started({
    objective: {
      ...objective,
      optimizers: { labelLogits: sgd({ learningRate: 1, momentum: 0, weightDecay: 0 }) },
      begin: ({ engine, labels }) => ({ learned: { labelLogits: engine.fill([labels.length, 3], 0) } }),
      descent: (learned, draw) => {
        const { value, gradients } = objective.descent!(learned, draw as never);
        return { value, gradients: { ...gradients, labelLogits: learned.labelLogits!.mul(0) } };
      },
    },
    steps: 1,
  });
  const synthetic = run.finish();
  expect([...synthetic.softLabels!]).toEqual(Array<number>(18).fill(Math.fround(1 / 3)));
  const { arrays } = readSafetensors(writeSafetensors(arraysOf(synthetic)));
  const back = setFrom("file", arrays, synthetic);
  expect(back.images).toEqual(synthetic.images);
  expect(back.softLabels).toEqual(synthetic.softLabels);
});

test("without an objective the random real images are the result", () => {
  const run = distillationOf(real, { ...small, steps: 0 });
  expect([...run]).toEqual([]);
  const synthetic = run.synthetic();
  expect([...synthetic.labels]).toEqual([0, 0, 1, 1, 2, 2]);
  const all = Array.from({ length: real.labels.length }, (_, i) =>
    real.pixels.slice(192 * i, 192 * (i + 1)).join(),
  );
  const shown = pixelsOf(synthetic);
  for (let i = 0; i < 6; i++) expect(all).toContain(shown.slice(192 * i, 192 * (i + 1)).join());
});

describe("images held between black and white, by a rate that falls", () => {
  const held = {
    range: "pixels",
    schedule: { name: "plateau", patience: 0, factor: 0.5 },
    stepping: "perClass",
    optimizer: { name: "adam", learningRate: 0.5 },
    initialization: "noise",
  } as const;
  const limits = (run: DistillationRun): [number, number] => {
    const { images, mean, std } = run.synthetic();
    const pixels = Array.from(images, (value, i) => value * std[i % 3]! + mean[i % 3]!);
    return [Math.min(...pixels), Math.max(...pixels)];
  };

  test("lie there after every step, which others do not", () => {
    const run = started(held);
    const steps = run[Symbol.iterator]();
    while (!steps.next().done) {
      const [least, most] = limits(run);
      expect(least).toBeGreaterThan(-1e-6);
      expect(most).toBeLessThan(1 + 1e-6);
    }
    const [least, most] = limits(started({ ...held, range: "free" }));
    expect(least).toBeLessThan(-0.1);
    expect(most).toBeGreaterThan(1.1);
  });

  test("go on from a checkpoint to the same bits", () => {
    const whole = started(held).finish();
    const first = started(held);
    for (const { step } of first) if (step === 2) break;
    const resumed = started({ ...held, checkpoint: first.checkpoint() });
    expect(resumed.finish().images).toEqual(whole.images);
  });

  test("an optimizer of one's own has no schedule by name", () => {
    const own = sgd({ learningRate: 1, momentum: 0, weightDecay: 0 });
    expect(() => started({ optimizer: own, schedule: "plateau" })).toThrow(
      "schedule: expected constant beside an optimizer of your own, got plateau; wrap it by `plateau`",
    );
  });
});

test("a run that is done with frees its tensors", () => {
  const before = engine.liveTensors();
  const run = started({ steps: 2 });
  run.finish();
  expect(engine.liveTensors()).toBeGreaterThan(before);
  run.dispose();
  expect(engine.liveTensors()).toBe(before);
});

describe("what is wrong is said with its place and what to do", () => {
  test.each<[string, object, string | RegExp]>([
    ["an unknown option", { stepz: 3 }, "distillationOf: stepz: unknown option; did you mean steps?"],
    [
      "an option of a method",
      { objective: { name: "csdm", frequencis: 8 } },
      "distillationOf: objective.frequencis: unknown option; did you mean frequencies?",
    ],
    ["an unknown method", { objective: "cdsm" }, /objective\.name: unknown name "cdsm"; did you mean csdm\?/],
    ["a plugin", { plugins: ["difficulty"] }, /distillationOf\.plugins\.0: name: unknown name "difficulty"/],
    ["a count", { imagesPerClass: 0 }, /imagesPerClass: .*>=1, got 0/],
    ["a seed", { seed: -1 }, "distillationOf.seed: expected a whole number >= 0, got -1"],
    [
      "steps without a method",
      { objective: undefined },
      /distillationOf: expected an objective for 4 steps and 0 plugins, got none/,
    ],
    [
      "a checkpoint of other data",
      { checkpoint: started({ imagesPerClass: 1 }).checkpoint() },
      "distillationOf.checkpoint: expected images of shape 6×8×8×3 from tfjs-wasm, got 3×8×8×3 from tfjs-wasm",
    ],
    ["no checkpoint", { checkpoint: writeSafetensors({}) }, /checkpoint: expected version 1, got no version/],
  ])("%s", (_, change, message) => {
    const attempt = (): unknown => started(change);
    expect(attempt).toThrow(InputError);
    expect(attempt).toThrow(message);
  });
});
