import { existsSync } from "node:fs";
import { check } from "../../src/core/errors.ts";
import { datasets } from "../../src/datasets/index.ts";
import type { Engine } from "../../src/engines/index.ts";
import {
  type DifficultyCorrelations,
  difficultyCorrelations,
  type ImageDifficulty,
} from "../../src/evaluation/difficulty.ts";
import { difficultyScores, type NamedImages } from "../../src/evaluation/difficultyScores.ts";
import { randomImages } from "../../src/runs/difficulty.ts";
import { sourceOf } from "../../src/runs/setting.ts";
import { decodedSet } from "../../src/runs/storedSet.ts";
import { bytes, sha256 } from "../artifact.ts";
import { resolveExperiment } from "../config.ts";
import { loadData } from "../data/load.ts";
import { difficultyOptions, type DifficultyOptions, type Size } from "./options.ts";
import { foreignSubject } from "../judge/foreignSubject.ts";
import { checkFits, subjectOf } from "../judge/subject.ts";
import { prepare, preparedFor } from "../preparation.ts";
import { isRun, readRun } from "../runFolder.ts";
import { pixelsOfSubject } from "../commands/diagnose.ts";

/** What is to be scored. */
export interface DifficultyArguments {
  /** A data set by its name, or the path of a run or of any synthetic set. */
  readonly what: string;
  /** Real data set of a synthetic set without a card. */
  readonly data?: string | undefined;
  readonly size: Size;
  readonly overrides: readonly string[];
}

/** Images to score, with the options that say under what. */
export interface DifficultySubject {
  /** As in "cifar10" or "dm-cifar10 seed 0". */
  readonly label: string;
  readonly options: DifficultyOptions;
  readonly images: NamedImages;
  /** Position of each image in the set that it is from. */
  readonly positions: Int32Array;
}

/** What was found of a subject's images. */
export interface ScoredSubject extends DifficultySubject {
  readonly difficulty: ImageDifficulty;
  /** Over all images. */
  readonly correlations: DifficultyCorrelations;
  /** Name of the networks' architecture. */
  readonly network: string;
  /** Of the networks on their training images, 0 to 1. */
  readonly accuracies: readonly number[];
}

/**
 * Finds the images to score: some of a data set, or all of a synthetic one, of mosaics those that they stand for.
 *
 * @throws InputError for what is neither, and options that are wrong.
 */
export async function difficultySubject(given: DifficultyArguments): Promise<DifficultySubject> {
  const { what, data, size, overrides } = given;
  if (existsSync(what)) return syntheticSubject(given);
  check(
    Object.hasOwn(datasets, what),
    () =>
      `difficulty: expected a data set (${Object.keys(datasets).join(", ")}) or the path of a run or synthetic set, got ` +
      `${JSON.stringify(what)}, where nothing is`,
  );
  check(data === undefined, () => `--data: expected none, as ${what} is a data set itself`);
  const options = difficultyOptions(size, { name: what }, overrides);
  const { perClass, split, seed } = options.images;
  const { splits } = await loadData(options.data);
  const { dataset, positions } = randomImages(splits[split], perClass, seed);
  return { label: `${what} ${split}`, options, images: { key: options.images, dataset }, positions };
}

async function syntheticSubject({
  what,
  data,
  size,
  overrides,
}: DifficultyArguments): Promise<DifficultySubject> {
  const wrong = overrides.find((text) => text.startsWith("images."));
  check(
    wrong === undefined,
    () => `override: expected none of images, as all of ${what} are scored, got ${wrong}`,
  );
  const ofData = overrides.filter((text) => text.startsWith("data."));
  check(data === undefined || !isRun(what), () => `--data: expected none, as ${what} knows its own`);
  const subject = isRun(what)
    ? subjectOf(readRun(what, ofData))
    : await foreignSubject(what, { data, overrides: ofData, force: false });
  const { label, set, experiment } = subject;
  const { splits } = await loadData(experiment.data);
  checkFits(subject, splits);
  const rest = overrides.filter((text) => !text.startsWith("data."));
  const options = difficultyOptions(size, experiment.data, rest);
  const dataset = pixelsOfSubject(subject, splits);
  const softLabels = decodedSet(set).softLabels;
  const hash = sha256(
    bytes(dataset.pixels as Float32Array),
    bytes(dataset.labels),
    bytes(softLabels ?? new Float32Array(0)),
  );
  return {
    label,
    options,
    images: { key: { set: hash }, dataset, softLabels },
    positions: dataset.labels.map((_, i) => i),
  };
}

/**
 * Trains the networks and scores the images under each, unless that is kept from before: what was cut off goes on, and other
 * processes take part.
 *
 * @param prepared folder that keeps networks and scores.
 */
export async function scoreDifficulty(
  subject: DifficultySubject,
  engine: Engine,
  prepared: string,
): Promise<ScoredSubject> {
  const { options, images } = subject;
  const { network } = options.networks;
  const experiment = resolveExperiment("difficulty", { data: options.data, network, steps: 0 });
  const { splits } = await loadData(options.data);
  const scores = difficultyScores(options.networks, images);
  const all = scores.preparations.map((one) => preparedFor(prepared, experiment, one));
  const source = await prepare(all, sourceOf(experiment, splits, engine));
  const difficulty = scores.difficulty(source);
  return {
    ...subject,
    difficulty,
    correlations: difficultyCorrelations(difficulty),
    network: source.network.name,
    accuracies: scores.accuracies(source),
  };
}
