import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { readArtifact } from "../../experiments/artifact.ts";
import { distillExperiment } from "../../experiments/commands/distill.ts";
import { evaluateForeign, evaluateRun } from "../../experiments/commands/evaluate.ts";
import { exportRun } from "../../experiments/commands/export.ts";
import { type Experiment, resolveExperiment } from "../../experiments/config.ts";
import { loadData } from "../../experiments/data/load.ts";
import { allPreparedFor, preparedFor } from "../../experiments/preparation.ts";
import type { Row } from "../../experiments/results.ts";
import { fileOf, readMetrics, type RunFolder } from "../../experiments/runFolder.ts";
import { sourceFor } from "../../experiments/source.ts";
import type { Spectra } from "../../experiments/spectra.ts";
import { phasesOf } from "../../experiments/tasks.ts";
import { normalized } from "../../src/datasets/dataset.ts";
import { distillationOf, evaluationOf, selectEngine, writeNpz } from "../../src/index.ts";
import { pretraining, pretrainingOptions } from "../../src/objectives/pretraining.ts";
import { toPixels } from "../../src/runs/space.ts";
import { arraysOf } from "../../src/runs/storedSet.ts";
import { zcaPreparation } from "../../src/runs/zca.ts";

const { engine } = await selectEngine("auto", { threads: 1 });
afterAll(() => engine.close());

const data = { classes: 3, trainPerClass: 12, testPerClass: 30, side: 8, imbalance: 2 };
const network = { name: "convNet", depth: 1, width: 8 } as const;
const options = { objective: "dm", network, imagesPerClass: 4, steps: 3, zca: true } as const;

function experiment(change: object = {}, name = "whitened"): Experiment {
  return resolveExperiment(name, {
    data: { name: "procedural", ...data },
    ...options,
    evaluation: { protocol: "quick", networks: 1 },
    ...change,
  });
}

const newFolder = (): string => mkdtempSync(join(tmpdir(), "distillery-zca-"));
/** Runs of these tests share what is prepared, as those of one study do. */
const prepared = join(newFolder(), "prepared");

async function distilled(given: Experiment, results = newFolder()): Promise<RunFolder> {
  const [run] = await distillExperiment(given, engine, { results, prepared, force: false });
  return run!;
}

const { splits } = await loadData(experiment().data);
const run = await distilled(experiment());
const bytesOf = (of: RunFolder, file: "images" | "real" | "spectra"): Buffer =>
  readFileSync(fileOf(of, file));
const accuraciesOf = (rows: readonly Row[]): unknown =>
  rows.map(({ accuracy, classAccuracies }) => [accuracy, classAccuracies]);

describe("a whitened run", () => {
  test("has the whitening with its images, which are in that space: zeros and ones for mean and deviation", () => {
    const { whitening, mean, std, card } = readArtifact(run);
    expect(whitening!.mean).toHaveLength(192);
    expect([mean, std]).toEqual([
      [0, 0, 0],
      [1, 1, 1],
    ]);
    expect(card.space).toBe(
      "whitened: (x - zca_mean) @ zca_matrix on rows x of pixel/255, channels × height × width",
    );
  });

  test("is what the library makes in memory, to the bit, and its evaluation is the same", async () => {
    const memory = distillationOf(splits.train, { engine, ...options });
    const set = memory.finish();
    const stored = readArtifact(run);
    expect(set.images).toEqual(stored.images);
    expect(set.whitening).toEqual(stored.whitening);
    const { networks } = evaluationOf(set, splits.test, { engine, protocol: "quick", networks: 1 }).finish();
    const [row] = await evaluateRun(run, engine, { force: false });
    // Rows keep six digits, which tell all shares of 30 images apart.
    networks[0]!.perClass.forEach((accuracy, label) =>
      expect(row!.classAccuracies[label]).toBeCloseTo(accuracy, 6),
    );
    memory.dispose();
  });

  test("learns otherwise than one that is not, from the same real images", async () => {
    const plain = await distilled(experiment({ zca: false }));
    const [with_, without] = [run, plain].map((one) => readArtifact(one).card.trainingSha256);
    expect(with_).toBe(without);
    expect(bytesOf(run, "real")).toEqual(bytesOf(plain, "real"));
    expect(bytesOf(run, "images")).not.toEqual(bytesOf(plain, "images"));
    expect(readMetrics(run).map(({ loss }) => loss)).not.toEqual(readMetrics(plain).map(({ loss }) => loss));
  });

  test("starts from real images and shows them as they are: picture, spectra and pixels of the run without", async () => {
    const initial = { objective: undefined, steps: 0 };
    const [with_, without] = [
      await distilled(experiment(initial)),
      await distilled(experiment({ ...initial, zca: false })),
    ];
    expect(bytesOf(with_, "images")).toEqual(bytesOf(without, "images"));
    const [whitened, plain] = [with_, without].map(
      (one) => JSON.parse(bytesOf(one, "spectra").toString()) as Spectra,
    );
    expect(whitened!.real).toEqual(plain!.real);
    whitened!.synthetic.overall.forEach((power, k) =>
      expect(power).toBeCloseTo(plain!.synthetic.overall[k]!, 6),
    );
    const [pixels, expected] = [with_, without].map((one) => {
      const set = readArtifact(one);
      return toPixels(set.images, set, set.imageShape);
    });
    pixels!.forEach((value, i) => expect(Math.abs(value - expected![i]!)).toBeLessThan(1e-5));
  });

  test("is tracked under networks of its space, which are others than those of the run without", async () => {
    const tracking = { networks: { models: 1, epochs: 1 } };
    const difficulties = await Promise.all(
      [true, false].map(async (zca) => {
        const tracked = await distilled(experiment({ zca, tracking }));
        return readMetrics(tracked)[0]!.difficulty;
      }),
    );
    expect(difficulties[0]).toBeGreaterThan(0);
    expect(difficulties[0]).not.toBe(difficulties[1]);
  });

  test("may start from noise, in its space", async () => {
    const noise = { objective: undefined, steps: 0, initialization: "noise" };
    const [with_, without] = [
      await distilled(experiment(noise)),
      await distilled(experiment({ ...noise, zca: false })),
    ];
    expect(readArtifact(with_).images).toEqual(readArtifact(without).images);
  });
});

describe("the same accuracies, to the bit, has", () => {
  test("its export, and arrays alone under the names of whitened ones", async () => {
    const rows = await evaluateRun(run, engine, { networks: 1, force: false });
    const out = join(newFolder(), "export");
    await exportRun(run, { out, force: false });
    const judged = { overrides: [], force: false, networks: 1 };
    const exported = await evaluateForeign(out, engine, judged);
    expect(accuraciesOf(exported.rows)).toEqual(accuraciesOf(rows));

    const alone = join(newFolder(), "mine.npz");
    const { images, labels, zca_mean, zca_matrix, zca_inverse } = arraysOf(readArtifact(run));
    writeFileSync(
      alone,
      writeNpz({
        images: images!,
        labels: labels!,
        zca_mean: zca_mean!,
        zca_matrix: zca_matrix!,
        zca_inverse: zca_inverse!,
      }),
    );
    const overrides = Object.entries(data).map(([key, value]) => `data.${key}=${value}`);
    const asked = [
      ...overrides,
      "evaluation.network.name=convNet",
      "evaluation.network.depth=1",
      "evaluation.network.width=8",
    ];
    const foreign = await evaluateForeign(alone, engine, {
      ...judged,
      data: "procedural",
      overrides: asked,
      protocol: "quick",
    });
    expect(accuraciesOf(foreign.rows)).toEqual(accuraciesOf(rows));
  });

  test("hardly its PNGs: they are whitened by the arrays beside them, and refused without", async () => {
    const out = join(newFolder(), "export");
    await exportRun(run, { out, force: false });
    const judged = { overrides: [], force: false, networks: 1 };
    const { rows } = await evaluateForeign(join(out, "png"), engine, judged);
    expect(rows[0]!.status).toBe("done");
    for (const file of ["data.safetensors", "data.npz"]) rmSync(join(out, file));
    await expect(evaluateForeign(join(out, "png"), engine, judged)).rejects.toThrow(
      /export: expected data\.safetensors or data\.npz, as the card says that images are whitened and images alone do not say how/,
    );
  });
});

describe("the whitening of runs", () => {
  const nameOf = (given: Experiment): string => basename(preparedFor("", given, zcaPreparation()).path);

  test("is one for all methods and networks of the same training images, and another for others", () => {
    const wide = experiment({ network: { ...network, width: 16 }, objective: "mmd" });
    expect(nameOf(wide)).toBe(nameOf(experiment()));
    expect(nameOf(experiment({ data: { name: "procedural", ...data, imbalance: 3 } }))).not.toBe(
      nameOf(experiment()),
    );
    expect(readdirSync(prepared).filter((name) => name.startsWith("zca-"))).toEqual([nameOf(experiment())]);
  });

  test("comes first of what they share, and all else is made in its space", () => {
    const tracking = { networks: { models: 1, epochs: 1 } };
    const all = allPreparedFor("root", experiment({ tracking })).map(({ name }) => name);
    expect(all.map((name) => name.split("-")[0])).toEqual(["zca", "pretrained"]);
    const plain = allPreparedFor("root", experiment({ tracking, zca: false })).map(({ name }) => name);
    expect(plain).toHaveLength(1);
    expect(plain[0]).not.toBe(all[1]);
    const networks = pretraining(pretrainingOptions.parse({ models: 1 }));
    const [key, same] = [experiment(), experiment({ imagesPerClass: 3 })].map(
      (one) => preparedFor("", one, networks).name,
    );
    expect(same).toBe(key);
  });

  test("is a task of a sweep, before those that need it", async () => {
    const results = newFolder();
    const own = join(results, "prepared");
    const tracking = { networks: { models: 1, epochs: 1 } };
    const phases = phasesOf([experiment({ tracking })], { results, prepared: own, spread: false });
    const [fit, trained] = phases[0]!.tasks;
    expect(fit!.id).toMatch(/^zca-\w+\/part-0$/);
    await trained!.perform(engine); // even alone: it makes what it needs
    expect([fit!.isDone(), trained!.isDone()]).toEqual([true, true]);
    rmSync(join(own, fit!.id.split("/")[0]!), { recursive: true });
    expect(fit!.isDone()).toBe(false);
    await fit!.perform(engine);
    expect(fit!.isDone()).toBe(true);
  });

  test("is fitted on the long-tailed images that are distilled, which are whitened once in a process", async () => {
    const given = { splits, engine, prepared };
    const [source, again] = [await sourceFor(experiment(), given), await sourceFor(experiment(), given)];
    expect(again.real).toBe(source.real);
    const { real } = source;
    expect(real.labels).toEqual(splits.train.labels);
    const rows = normalized(real, Int32Array.from(real.labels.keys()));
    for (let i = 0; i < 192; i++) {
      const mean =
        real.labels.reduce((sum, _, image) => sum + rows[192 * image + i]!, 0) / real.labels.length;
      expect(Math.abs(mean)).toBeLessThan(1e-5);
    }
    expect((await sourceFor(experiment({ zca: false }), given)).real).toBe(splits.train);
  });

  test("is not begun where whitened images would not fit in memory", async () => {
    const own = join(newFolder(), "prepared");
    const given = { splits, engine, prepared: own, available: () => 9e5 };
    await expect(sourceFor(experiment(), given)).rejects.toThrow(
      /^zca: expected 1\.3 MB of free memory to whiten \d+ images of 8×8×3, got 900 kB; take fewer images by data\.classSize, or leave zca out$/,
    );
    expect(existsSync(own)).toBe(false);
  });

  test("is not begun either where the method's options do not fit each other", async () => {
    const results = newFolder();
    const own = join(results, "prepared");
    const short = experiment({ objective: { name: "mtt", experts: { epochs: 1 } } });
    await expect(distillExperiment(short, engine, { results, prepared: own, force: false })).rejects.toThrow(
      "objective.experts.epochs: expected at least",
    );
    expect(existsSync(own)).toBe(false);
  });
});

describe("beside whitening, a config is refused", () => {
  test("that holds values between black and white", () => {
    expect(() => experiment({ range: "pixels" })).toThrow(
      "whitened.range: expected free beside zca, got pixels; black and white are no bounds of single values there",
    );
  });

  test("of mosaics", () => {
    expect(() => experiment({ partition: {} })).toThrow(
      "whitened.partition: expected none beside zca, got one; whitening is of whole images",
    );
  });
});
