import { join } from "node:path";
import { InputError } from "../../src/core/errors.ts";
import type { Dataset, Splits } from "../../src/datasets/dataset.ts";
import type { Engine } from "../../src/engines/index.ts";
import { accuracy, disposeTestSet, testSet } from "../../src/evaluation/accuracy.ts";
import { type Gate, gatesOf, pooled } from "../../src/generation/index.ts";
import type { HostArray } from "../../src/formats/array.ts";
import type { Source } from "../../src/objectives/objective.ts";
import { pretrainedModel } from "../../src/objectives/pretraining.ts";
import type { Model } from "../../src/training/model.ts";
import { loadData, withoutPlace } from "../data/load.ts";
import { planLines, unitTimes } from "../generation/estimate.ts";
import type { Generation } from "../generation/options.ts";
import { foundIn, type PoolRecord, writePool } from "../generation/poolFolder.ts";
import { type Stages, stagesOf } from "../generation/stages.ts";
import { machine, peakMegabytes } from "../machine.ts";
import { checkParts, hasAllParts, prepare, type Prepared, withNeeds } from "../preparation.ts";
import { working } from "../progress.ts";

export interface GenerateOptions {
  readonly results: string;
  /** Folder of what runs and pools share; by default `prepared` in the results. */
  readonly prepared?: string | undefined;
  /** Says what it takes, and makes nothing. */
  readonly plan: boolean;
  /** Writes a pool that fails a gate all the same. */
  readonly ungated: boolean;
  /** Replaces a pool of this name. */
  readonly force: boolean;
}

/** A pool that is there. */
export interface Pool {
  readonly path: string;
  /** Empty of one that was there before. */
  readonly gates: readonly Gate[];
}

/**
 * Makes an image pool: trains a diffusion model, fine-tunes it where that is asked for, samples images of each class, and
 * judges them. What is there is kept, what was cut off goes on, and other processes can take part.
 *
 * @returns undefined where it only says what it takes.
 * @throws InputError where the pool fails a gate, and is not written.
 */
export async function generate(
  generation: Generation,
  engine: Engine,
  options: GenerateOptions,
  print: (line: string) => void,
): Promise<Pool | undefined> {
  const { results, prepared: root = join(results, "prepared"), plan, force } = options;
  const path = join(results, "pools", generation.name);
  const resolved = optionsOf(generation);
  const found = foundIn(path, resolved);
  if (!plan && !force && found === "same") {
    print(`${path}: was made before; --force writes it again`);
    return { path, gates: [] };
  }
  if (!plan && !force && found === "other") {
    throw new InputError(
      `${path}: expected no pool of other options; replace it with --force, or choose another name with --name`,
    );
  }
  const { splits } = await loadData(generation.data);
  const stages = stagesOf(generation, { splits, engine, root });
  await checkParts(withNeeds(stagesIn(stages)));
  const times = await working("measuring", () => unitTimes(stages, generation));
  planLines(stages, generation, times).forEach(print);
  if (plan) return undefined;
  const made = await madeBy(stages);
  const judged = judgedPool(made.source, stages, { splits, generation });
  gateLines(judged.gates, splits.train).forEach(print);
  const record: PoolRecord = {
    ...{ name: generation.name, options: resolved, ...judged.record, seconds: made.seconds },
    peakMegabytes: Math.round(peakMegabytes()),
    machine: machine(engine),
  };
  if (!record.passed && !options.ungated) throw new InputError(failureText(path, judged, generation));
  await writePool(path, { pool: judged.pool, real: splits.train, record });
  return { path, gates: judged.gates };
}

/** All that decides what a pool is; where official files lie and what computes is no part of it. */
function optionsOf({ name: _name, engine: _engine, data, ...others }: Generation): Record<string, unknown> {
  return { data: withoutPlace(data), ...others };
}

const stagesIn = ({ model, tuned, judge, pool }: Stages): Prepared[] => [
  ...(tuned ? [tuned] : [model]),
  judge,
  pool,
];

/** Makes stage after stage. */
async function madeBy(
  stages: Stages,
): Promise<{ readonly source: Source; readonly seconds: PoolRecord["seconds"] }> {
  const { model, tuned, judge, pool } = stages;
  let { source } = stages;
  const seconds: Record<string, number> = {};
  for (const [name, prepared] of Object.entries({ training: model, minimax: tuned, judge, sampling: pool })) {
    if (!prepared) continue;
    const isThere = hasAllParts(prepared);
    const begun = performance.now();
    source = await prepare([prepared], source);
    seconds[name] = isThere ? 0 : Math.round((performance.now() - begun) / 100) / 10;
  }
  return { source, seconds };
}

interface Judged {
  readonly pool: Dataset;
  readonly gates: readonly [accuracy: Gate, variance: Gate];
  readonly record: Omit<PoolRecord, "name" | "options" | "seconds" | "peakMegabytes" | "machine">;
}

/** Puts the images of all classes together and holds them against the gates. */
function judgedPool(
  source: Source,
  stages: Stages,
  { splits, generation }: { readonly splits: Splits; readonly generation: Generation },
): Judged {
  const { train: real, test } = splits;
  const { engine } = source;
  const array = (prepared: Prepared, index: number, name: string): HostArray =>
    source.prepared!(prepared.preparation, index)[name]!;
  const images = real.classNames.map(
    (_, label) => array(stages.pool, label, "images").data as ArrayLike<number>,
  );
  const pool = pooled(images, real);
  const { gates, testAccuracy, ...judge } = engine.scope(() => {
    const {
      network,
      trained,
      statistics,
      accuracy: own,
    } = pretrainedModel(source, stages.judge.preparation, 0);
    const model: Model = { network, parameters: trained, statistics };
    return {
      gates: gatesOf({ pool, real, judge: model }, engine, generation.gates),
      ...{ testAccuracy: accuracyOn(model, test, engine), trainAccuracy: own, network: network.name },
    };
  });
  const models = [stages.model, ...(stages.tuned ? [stages.tuned] : [])].map((prepared) => {
    const { shape, data } = array(prepared, 0, "curve");
    const loss = shape[0]! > 0 ? Number(data[(shape[0]! - 1) * shape[1]!]) : null;
    return { folder: prepared.name, unet: stages.unet.name, loss };
  });
  const { classNames, imageShape } = real;
  const record = {
    ...{ classNames, imageShape, imagesPerClass: generation.sampling.imagesPerClass },
    ...{ passed: gates.every(({ passed }) => passed), gates, judge: { ...judge, testAccuracy }, models },
  };
  return { pool, gates, record };
}

function accuracyOn(model: Model, dataset: Dataset, engine: Engine): number {
  const test = testSet(dataset, engine);
  const found = accuracy(model, test).accuracy;
  disposeTestSet(test);
  return found;
}

const percent = (fraction: number): string => `${(100 * fraction).toFixed(1)} %`;

/** What each gate measures, in words that a number goes before. */
const measures = {
  accuracy: "of the images taken for their class by the judge",
  variance: "of the real pixel variance in the class that varies least",
} as const;

function gateLines(gates: Judged["gates"], { classNames }: Dataset): string[] {
  return gates.map(({ name, expected, got, passed, perClass }) => {
    const least = perClass.indexOf(Math.min(...perClass));
    return (
      `${passed ? "✓" : "✗"} ${name}: ${percent(got)} ${measures[name]}, at least ${percent(expected)} expected ` +
      `(least: ${classNames[least]}, ${percent(perClass[least]!)})`
    );
  });
}

/** Which gate failed, expected, got, and what to do. */
function failureText(
  path: string,
  { gates, record }: Judged,
  { gates: asked, training }: Generation,
): string {
  const failed = gates.filter(({ passed }) => !passed);
  const found = failed.map(
    ({ name, expected, got }) =>
      `${name}: expected at least ${percent(expected)} ${measures[name]}, got ${percent(got)}`,
  );
  const { testAccuracy } = record.judge;
  const doubt =
    failed.some(({ name }) => name === "accuracy") && testAccuracy < asked.accuracy
      ? ` The judge itself is right on ${percent(testAccuracy)} of the real test images: train it longer (gates.judge), or ` +
        "expect less (gates.accuracy)."
      : "";
  const longer = `training.steps=${2 * training.steps} training.continues=${training.steps}`;
  return (
    `${path}: the pool is not written. ${found.join("; ")}. Train longer, which goes on from here (${longer})` +
    `${failed.some(({ name }) => name === "variance") ? ", lower the guidance (sampling.guidance)" : ""}, or write the pool ` +
    `as it is with --ungated, and pool.json says so.${doubt}`
  );
}
