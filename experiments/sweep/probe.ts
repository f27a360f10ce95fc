import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { InputError } from "../../src/core/errors.ts";
import { seeded } from "../../src/core/rng.ts";
import { encodeProgress } from "../../src/distillers/checkpoint.ts";
import { begin, distill, type Progress } from "../../src/distillers/distill.ts";
import { initialImages } from "../../src/distillers/initialize.ts";
import { type Engine, selectEngine } from "../../src/engines/index.ts";
import { accuracy } from "../../src/evaluation/accuracy.ts";
import { evaluate, trainingOf } from "../../src/evaluation/evaluate.ts";
import { protocols } from "../../src/evaluation/protocols.ts";
import type { Objective, Source } from "../../src/objectives/objective.ts";
import { distillationRng, imageOptimizerOf, objectiveOf } from "../../src/runs/setting.ts";
import { freshModel } from "../../src/training/model.ts";
import { distillRun } from "../commands/distill.ts";
import type { Experiment } from "../config.ts";
import { loadData } from "../data/load.ts";
import { planOf } from "../../src/runs/plan.ts";
import { judgingOf, subjectOf } from "../judge/subject.ts";
import { peakMegabytes } from "../machine.ts";
import {
  allPreparedFor,
  checkParts,
  hasAllParts,
  hasPart,
  prepare,
  type Prepared,
  workOn,
} from "../preparation.ts";
import { meanBytesOfPart } from "../preparedSpace.ts";
import { fileOf, openRun } from "../runFolder.ts";
import { fitWhitening, sourceFor } from "../source.ts";
import { runTracker } from "../tracking.ts";

/** What is to be measured, and where. */
export interface ProbeJob {
  readonly experiment: Experiment;
  readonly engine: string;
  readonly threads: number;
  /** Folder of what runs share, as far as it is made. */
  readonly prepared: string;
}

/** What runs of a kind cost. Seconds that could not be measured are NaN, which JSON writes as null. */
export interface Cost {
  /** From the start of the process until the data are read, and whitened where that is asked for. */
  readonly startSeconds: number;
  /** With its share of what is tracked. */
  readonly stepSeconds: number;
  /** To train and test one evaluation network by its protocol. */
  readonly networkSeconds: number;
  /** To make one part of what runs share, on average; 0 where they share nothing. */
  readonly partSeconds: number;
  /** Of such a part on disk. */
  readonly partBytes: number;
  /** Largest resident memory of the process, in 10⁶ bytes. */
  readonly megabytes: number;
  /** Of a finished run's folder, without its metrics. */
  readonly bytes: number;
  /** Of metrics.jsonl. */
  readonly bytesPerStep: number;
  /** While a run goes on. */
  readonly checkpointBytes: number;
  /** How many steps and epochs were timed. */
  readonly steps: number;
  readonly epochs: number;
}

/** Seconds after which no further step, epoch or part is timed. */
const BUDGET = 8;
/** Timed steps or epochs that are enough. */
const ENOUGH = 20;

/** Measures what standard input asks for, and writes the cost to standard output. */
export async function answer(): Promise<void> {
  const job = JSON.parse(await text(process.stdin)) as ProbeJob;
  const results = mkdtempSync(join(tmpdir(), "distillery-probe-"));
  try {
    process.stdout.write(JSON.stringify(await costOf(job, results)));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  } finally {
    rmSync(results, { recursive: true, force: true });
  }
}

async function costOf(
  { experiment, engine: name, threads, prepared }: ProbeJob,
  results: string,
): Promise<Cost> {
  const { engine } = await selectEngine(name, { threads });
  const { splits } = await loadData(experiment.data);
  const loaded = performance.now(); // counted from the start of the process
  const given = { splits, engine, prepared };
  // Made for good, as everything else is timed in its space. Only bringing images there is done by every process.
  await fitWhitening(experiment, given);
  const fitted = performance.now();
  const source = await sourceFor(experiment, given);
  const startSeconds = (loaded + performance.now() - fitted) / 1000;
  const objective = objectiveOf(experiment);
  const shared = allPreparedFor(prepared, experiment);
  await checkParts(shared);
  const open = shared.filter((one) => !hasAllParts(one));
  const isPrepared = open.length === 0;
  const partSeconds = isPrepared ? 0 : meanTimeOfPart(open, source);
  const ready = isPrepared ? await prepare(shared, source) : source;
  // Initial images are a set like any other: what follows the steps can be measured without them.
  const stepping = isPrepared && objective ? objective : undefined;
  const one = {
    ...experiment,
    steps: stepping ? 1 : 0,
    ...(!stepping && { objective: undefined, plugins: [] }),
    // What a coreset chooses by would be made here and now.
    ...(!isPrepared && { initialization: { name: "random" as const } }),
  };
  const run = openRun(results, one, experiment.seeds[0]!);
  await distillRun(run, engine, { results, prepared, force: false });
  const network = await timeOfNetwork(subjectOf(run), engine);
  const timed = stepping
    ? timeOfSteps(stepping, ready, experiment)
    : { stepSeconds: objective ? NaN : 0, steps: 0, checkpointBytes: 0 };
  const metrics = statSync(fileOf(run, "metrics"), { throwIfNoEntry: false })?.size ?? 0;
  return {
    startSeconds,
    partSeconds,
    partBytes: isPrepared ? 0 : meanBytesOfPart(open, source),
    ...timed,
    ...network,
    megabytes: peakMegabytes(),
    bytes: sizeOfFolder(run.path) - metrics,
    bytesPerStep: metrics,
  };
}

/**
 * Times repetitions of some work: the median, which a moment's pause of a busy machine does not move. The first, which
 * warms up, counts only where there is no other.
 */
function timed(next: () => boolean): { readonly seconds: number; readonly count: number } {
  const times: number[] = [];
  const begun = performance.now();
  while (times.length <= ENOUGH && (times.length === 0 || performance.now() - begun < 1000 * BUDGET)) {
    const start = performance.now();
    if (!next()) break;
    times.push((performance.now() - start) / 1000);
  }
  const counted = (times.length > 1 ? times.slice(1) : times).sort((a, b) => a - b);
  return { seconds: counted[Math.floor(counted.length / 2)]!, count: counted.length };
}

function timeOfSteps(objective: Objective, source: Source, experiment: Experiment) {
  const rng = distillationRng(experiment.seeds[0]!);
  const optimizer = imageOptimizerOf(experiment, source);
  const run = { source, objective, optimizer, steps: experiment.steps, rng };
  let progress: Progress = begin(run, initialImages(source, experiment, rng));
  const steps = distill(run, progress);
  const { seconds, count } = timed(() => {
    const next = steps.next();
    if (next.value) ({ progress } = next.value);
    return !next.done;
  });
  const tracker = runTracker(experiment, source);
  tracker.measuredAt(0, progress.learned);
  const trackSeconds = tracker.seconds / (experiment.tracking?.every ?? 1);
  return {
    stepSeconds: seconds + trackSeconds,
    steps: count,
    checkpointBytes: encodeProgress(progress).byteLength,
  };
}

async function timeOfNetwork(subject: ReturnType<typeof subjectOf>, engine: Engine) {
  const { network, protocol: id } = judgingOf(subject);
  const { splits } = await loadData(subject.experiment.data);
  const protocol = protocols[id];
  const plan = planOf(subject.set, splits.test, { network, protocol }, engine);
  const training = evaluate(plan, seeded(0).stream("evaluation"));
  let tested = 0;
  const { seconds, count } = timed(() => {
    const begun = performance.now();
    const { done } = training.next();
    if (done) tested = (performance.now() - begun) / 1000;
    return !done;
  });
  training.return(undefined as never);
  const begun = performance.now();
  if (tested === 0) accuracy(freshModel(network, engine, seeded(0)), plan.test);
  const testing = tested || (performance.now() - begun) / 1000;
  const { epochs } = trainingOf(plan);
  plan.dispose();
  return { networkSeconds: epochs * seconds + testing, epochs: count };
}

/** Over the parts of all preparations; those that need parts which are not there yet are taken to be like the others. */
function meanTimeOfPart(all: readonly Prepared[], source: Source): number {
  const ready = all.filter(({ needs }) => needs.every((need) => hasPart(need, 0)));
  const seconds = ready.map((one) => ({ parts: one.preparation.parts, each: timeOfPart(one, source) }));
  const total = seconds.reduce((sum, { parts, each }) => sum + parts * each, 0);
  return total / seconds.reduce((sum, { parts }) => sum + parts, 0);
}

/** Extrapolated from the fraction that a part says it has done. */
function timeOfPart(prepared: Prepared, source: Source): number {
  const work = workOn({ prepared, index: 0 }, source);
  const begun = performance.now();
  let fraction = 0;
  for (let next = work.next(); ; next = work.next()) {
    const seconds = (performance.now() - begun) / 1000;
    if (next.done) return seconds;
    fraction = next.value.share;
    if (seconds > BUDGET && fraction > 0) return seconds / fraction;
  }
}

function sizeOfFolder(path: string): number {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
