import { existsSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { check } from "../../src/core/errors.ts";
import { type NetworkAccuracies, rankedNetwork } from "../../src/evaluation/rankedNetwork.ts";
import {
  accuraciesIn,
  looksOf,
  randomImages,
  rankingTraining,
  realAccuraciesIn,
  realHard,
} from "../../src/runs/ranking.ts";
import { evaluationRng } from "../../src/runs/setting.ts";
import { tensorData } from "../../src/training/trainingData.ts";
import { stampOf } from "../commands/evaluate.ts";
import { Stopped } from "../failure.ts";
import { readJson, writeWhole } from "../files.ts";
import { acquire } from "../lock.ts";
import { commit } from "../machine.ts";
import { partFile, readPart } from "../partFile.ts";
import { hasPart, makePart, type Prepared, preparedFor } from "../preparation.ts";
import { fileOf, lockOf } from "../runFolder.ts";
import { stopSignal } from "../stopSignal.ts";
import type { OpenRanking } from "./open.ts";
import type { Trained } from "./record.ts";

/** A network to train for a ranking, which any process may do. */
export interface Job {
  /** What it is trained on, in words. */
  readonly what: string;
  /** About how many images pass through the network, those that are learned thrice. */
  readonly work: number;
  isThere(): boolean;
  /**
   * Trains and keeps it, unless it is there.
   *
   * @returns whether it is there now; false while another process is at it, or at what it needs.
   */
  make(progress: (share: number) => void): Promise<boolean>;
  /** What came of it. */
  read(): Trained;
}

/** What the networks of one evaluation seed are trained on, each by one or several learning rates. */
export interface SeedJobs {
  readonly seed: number;
  readonly realHard: readonly Job[];
  readonly syntheticHard: readonly Job[];
  readonly augmented: { readonly synthetic: readonly Job[]; readonly random: readonly Job[] };
  readonly plain: { readonly synthetic: readonly Job[]; readonly random: readonly Job[] };
}

/** All networks of a ranking, by evaluation seed. */
export interface RankingJobs {
  readonly seeds: readonly SeedJobs[];
  /** Each once, those first that others need. */
  readonly all: readonly Job[];
  /** What sets share of them. */
  readonly prepared: readonly Prepared[];
}

/**
 * The networks that a set's scores are of. Those on real images are shared: they lie among the preparations, where other sets
 * find them. Those on the set lie in its folder.
 *
 * @param root folder of preparations. @param force trains those on the set again.
 */
export function jobsOf(open: OpenRanking, root: string, force: boolean): RankingJobs {
  const { labels, set, setting } = open;
  const { rates } = setting.protocol;
  const prepare = (preparation: Prepared["preparation"]): Prepared =>
    preparedFor(root, open.experiment, preparation);
  const real = prepare(realHard(setting));
  const random = (augmented: boolean): Prepared[] =>
    rates.map((learningRate) =>
      prepare(randomImages(setting, { counts: open.counts, labels, augmented, learningRate })),
    );
  const shared = { augmented: random(true), plain: random(false) };
  // A learning rate that was learned with the images belongs to the labels that it was learned with.
  const own = set.learningRate === undefined ? rates : [set.learningRate];
  const hard = labels === "hard" ? own : rates;
  const ownJobs = once((seed: number, trained: OwnTraining) => ownJob(open, seed, trained, force));
  const seeds = Array.from({ length: setting.networks }, (_, seed): SeedJobs => {
    const synthetic = (augmented: boolean): Job[] =>
      own.map((learningRate) => ownJobs(seed, { labels, augmented, learningRate }));
    const drawn = (augmented: boolean): Job[] =>
      shared[augmented ? "augmented" : "plain"].map((one, at) =>
        randomJob(open, one, { seed, augmented, learningRate: rates[at]! }),
      );
    return {
      seed,
      realHard: [realJob(open, real, seed)],
      syntheticHard: hard.map((learningRate) =>
        ownJobs(seed, { labels: "hard", augmented: true, learningRate }),
      ),
      augmented: { synthetic: synthetic(true), random: drawn(true) },
      plain: { synthetic: synthetic(false), random: drawn(false) },
    };
  });
  const listed = seeds.flatMap(({ realHard, syntheticHard, augmented, plain }) => [
    ...realHard,
    ...[augmented, plain].flatMap(({ random, synthetic }) => [...random, ...synthetic]),
    ...syntheticHard,
  ]);
  return { seeds, all: [...new Set(listed)], prepared: [real, ...shared.augmented, ...shared.plain] };
}

/** How a network is trained on the set itself. */
interface OwnTraining {
  readonly labels: "hard" | "soft";
  readonly augmented: boolean;
  readonly learningRate: number;
}

/** The function with what it gave before for equal arguments. */
function once<A extends readonly unknown[], T>(make: (...given: A) => T): (...given: A) => T {
  const made = new Map<string, T>();
  return (...given) => {
    const key = JSON.stringify(given);
    const found = made.get(key) ?? make(...given);
    made.set(key, found);
    return found;
  };
}

const augmentedText = (augmented: boolean): string => (augmented ? "augmented" : "not augmented");

function realJob({ sizes, source, setting }: OpenRanking, prepared: Prepared, seed: number): Job {
  const { epochs, learningRate } = setting.protocol.real;
  return {
    ...sharedJob(prepared, source, seed),
    what: "all real images",
    work: (3 * epochs + 1) * sizes.real + sizes.test,
    read: () => ({ learningRate, ...realAccuraciesIn(readPart(partFile(prepared.path, seed))) }),
  };
}

function randomJob(
  open: OpenRanking,
  prepared: Prepared,
  { seed, augmented, learningRate }: { seed: number; augmented: boolean; learningRate: number },
): Job {
  const count = open.counts.reduce((sum, one) => sum + one, 0);
  return {
    ...sharedJob(prepared, open.source, seed),
    what: `random images, ${augmentedText(augmented)}, rate ${learningRate}`,
    work: workOn(open, count, open.labels),
    read: () => ({ learningRate, ...accuraciesIn(readPart(partFile(prepared.path, seed))) }),
  };
}

function sharedJob(
  prepared: Prepared,
  source: OpenRanking["source"],
  seed: number,
): Pick<Job, "isThere" | "make"> {
  return {
    isThere: () => hasPart(prepared, seed),
    make: (progress) => makePart(prepared, source, seed, progress),
  };
}

/** Image passes of a network that is trained on so many. */
function workOn({ setting, sizes }: OpenRanking, count: number, labels: "hard" | "soft"): number {
  const { epochs } = setting.protocol.training;
  const looks = Math.floor(epochs / (looksOf(setting, labels) ?? Infinity));
  return 3 * epochs * count + (looks + 1) * sizes.test + sizes.heldOut;
}

function ownJob(open: OpenRanking, seed: number, trained: OwnTraining, force: boolean): Job {
  const { subject, setting } = open;
  const { labels, augmented, learningRate } = trained;
  const { folder } = subject;
  const kind = `synthetic-${labels}-${augmented ? "augmented" : "plain"}`;
  const place = [setting.protocol.id, open.source.network.name, kind, `${seed}-${learningRate}`];
  const file = join(fileOf(folder, "rankings"), ...place.slice(0, 3), `${place[3]!}.json`);
  const begun = force ? new Set<string>() : undefined;
  const isThere = (): boolean =>
    (begun === undefined || begun.has(file)) && existsSync(file) && suffices(file, setting);
  return {
    what: `its images, ${labels} labels, ${augmentedText(augmented)}, rate ${learningRate}`,
    work: workOn(open, open.sizes.synthetic, labels),
    isThere,
    read: () => ({ ...(readJson(file) as OwnFile), learningRate }),
    async make(progress) {
      const lock = acquire(lockOf(folder, `rank.${place.join(".")}`));
      if (!lock) return false;
      try {
        if (isThere()) return true;
        const images = stampOf(folder);
        const began = performance.now();
        const accuracies = await trainedOn(open, seed, trained, progress);
        lock.check();
        check(
          stampOf(folder) === images,
          () => `${folder.path}: its images were replaced while networks were trained on them; rank again`,
        );
        const seconds = Number(((performance.now() - began) / 1000).toFixed(1));
        const { version } = setting.protocol;
        const kept: OwnFile = { version, ...accuracies, seconds, engine: open.engine.name, commit };
        writeWhole(file, `${JSON.stringify(kept, null, 2)}\n`);
        begun?.add(file);
        return true;
      } finally {
        lock.release();
      }
    },
  };
}

/** What is kept of a network that was trained on the set. */
interface OwnFile extends NetworkAccuracies {
  /** Of the protocol. */
  readonly version: number;
  readonly seconds: number;
  readonly engine: string;
  readonly commit: string;
}

/** Whether a network that is kept is of this protocol, and has looked at the test images where that is asked for. */
function suffices(file: string, { protocol, looks }: OpenRanking["setting"]): boolean {
  const { version, best } = readJson(file) as OwnFile;
  return version === protocol.version && (!looks || best !== undefined);
}

async function trainedOn(
  open: OpenRanking,
  seed: number,
  { labels, ...how }: OwnTraining,
  progress: (share: number) => void,
): Promise<NetworkAccuracies> {
  const { setting, set, source, subject } = open;
  const { images, soft } = open.tensors();
  const run = rankedNetwork(
    {
      network: source.network,
      data: tensorData(images, labels === "soft" ? soft! : set.labels),
      training: rankingTraining(setting, how),
      tests: setting.tests(),
      every: looksOf(setting, labels),
    },
    evaluationRng(seed),
  );
  const stop = stopSignal();
  try {
    for (;;) {
      const next = run.next();
      if (next.done) return next.value;
      progress(next.value);
      await setImmediate(); // lets a signal be heard
      if (stop.asked())
        throw new Stopped(`${subject.label}: stopped; the same command trains this network anew`);
    }
  } finally {
    stop.release();
    run.return(undefined as never);
  }
}
