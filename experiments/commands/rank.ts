import { join } from "node:path";
import { check, oneOf, wholeNumber } from "../../src/core/errors.ts";
import type { Engine } from "../../src/engines/index.ts";
import { rankingWeights } from "../../src/evaluation/ranking.ts";
import {
  type RankingProtocol,
  type RankingProtocolId,
  rankingProtocols,
} from "../../src/evaluation/rankingProtocols.ts";
import { foreignSubject } from "../judge/foreignSubject.ts";
import { type Subject, subjectOf } from "../judge/subject.ts";
import { commit } from "../machine.ts";
import { checkParts } from "../preparation.ts";
import { checkSpace } from "../preparedSpace.ts";
import { type Job, jobsOf, type SeedJobs } from "../rank/jobs.ts";
import { type OpenRanking, openRanking } from "../rank/open.ts";
import {
  rankedSeed,
  type RankingRecord,
  recordRanking,
  type TakenAccuracy,
  takenOf,
  type Trained,
  type Tuning,
} from "../rank/record.ts";
import { finishJobs } from "../rank/work.ts";
import { isRun, readRun, resultsOf } from "../runFolder.ts";

/** How sets are ranked. */
export interface RankOptions {
  /** How networks are trained: an id of `rankingProtocols`, or a protocol of one's own. */
  readonly protocol: RankingProtocolId | RankingProtocol;
  /** Evaluation seeds, instead of the protocol's number. */
  readonly networks?: number | undefined;
  /** By which images learning rates are chosen. */
  readonly tune: Tuning;
  /** Which accuracy of each network counts. */
  readonly take: TakenAccuracy;
  /** Folder of networks that sets share; by default in the results folder of each set. */
  readonly prepared?: string | undefined;
  /** Trains networks on the set again that are there; those that sets share stay. */
  readonly force: boolean;
}

/** Where a set is found. */
export interface RankedPlace {
  /** Real data set that a set without a card is of. */
  readonly data?: string | undefined;
  /** `data.…=value` and `evaluation.…=value`. */
  readonly overrides: readonly string[];
  /** Results folder that keeps the scores of a set that is no run's. */
  readonly results: string;
  /** What such a set is called there. */
  readonly name?: string | undefined;
  /** Replaces another set that was kept under the name. */
  readonly force: boolean;
}

/** A set to rank, with the folder that keeps its scores. */
export type RankedSubject = OpenRanking["subject"];

/**
 * A run, or a synthetic set of anyone's, to rank.
 *
 * @throws InputError for a run that is not done, and for what is no set.
 */
export async function rankedSubject(path: string, place: RankedPlace): Promise<RankedSubject> {
  const subject: Subject = isRun(path)
    ? subjectOf(readRun(path, place.overrides))
    : await foreignSubject(path, place);
  return { ...subject, folder: subject.folder! };
}

/**
 * Trains the networks of a set's ranking scores that are not there yet, and records the scores in its folder's ranking.json.
 * Several processes can do so at once. Networks on real images are shared with other sets of the data set.
 *
 * @throws InputError where the set does not fit its real data, and where networks diverge by every learning rate.
 */
export async function rankSubject(
  subject: RankedSubject,
  engine: Engine,
  options: RankOptions,
): Promise<RankingRecord> {
  const { tune: tuning, take: taken, force } = options;
  const protocol: RankingProtocol =
    typeof options.protocol === "string"
      ? oneOf("--protocol", rankingProtocols, options.protocol)
      : options.protocol;
  const networks = wholeNumber("--networks", options.networks ?? protocol.networks, 1);
  const open = await openRanking(subject, engine, { protocol, networks, looks: taken === "best" });
  try {
    const root = options.prepared ?? join(resultsOf(subject.folder), "prepared");
    const jobs = jobsOf(open, root, force);
    await checkParts(jobs.prepared);
    checkSpace(jobs.prepared, open.source);
    await finishJobs(jobs.all, subject.label);
    const weights = rankingWeights;
    const { experiment, objective, plugins, dataset, imbalance, imagesPerClass, distillSeed, network } =
      subject.columns;
    const ranking: RankingRecord = {
      ...{ experiment, objective, plugins, dataset, imbalance, imagesPerClass, distillSeed, network },
      ...{ protocol: protocol.id, protocolVersion: protocol.version },
      ...{ evaluationNetwork: open.source.network.name, tuning, taken, labels: open.labels, weights },
      seeds: jobs.seeds.map((own) => rankedSeed(own.seed, bestOf(own, options), { taken, weights })),
      ...{ engine: engine.name, commit },
    };
    recordRanking(subject.folder, ranking);
    return ranking;
  } finally {
    open.dispose();
  }
}

/** Of each kind the network by the best learning rate. */
function bestOf({ realHard, syntheticHard, augmented, plain }: SeedJobs, options: RankOptions) {
  const best = (jobs: readonly Job[]): Trained => bestByRate(jobs, options);
  const both = ({ synthetic, random }: SeedJobs["plain"]) => ({
    synthetic: best(synthetic),
    random: best(random),
  });
  return {
    realHard: best(realHard),
    syntheticHard: best(syntheticHard),
    augmented: both(augmented),
    plain: both(plain),
  };
}

function bestByRate(jobs: readonly Job[], { tune, take }: RankOptions): Trained {
  const trained = jobs.map((job) => job.read());
  const good = trained.filter(({ accuracy }) => Number.isFinite(accuracy));
  check(
    good.length > 0,
    () =>
      `ranking: ${jobs[0]!.what}: expected a network that does not diverge, got none by the learning rates ` +
      `${trained.map(({ learningRate }) => learningRate).join(", ")}; are the images normalized?`,
  );
  const merit = (one: Trained): number =>
    tune === "holdout" && one.heldOut !== undefined ? one.heldOut : takenOf(one, take);
  return good.reduce((best, one) => (merit(one) > merit(best) ? one : best));
}
