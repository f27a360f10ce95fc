import { check } from "../../src/core/errors.ts";
import type { Splits } from "../../src/datasets/dataset.ts";
import { architectures } from "../../src/evaluation/pools.ts";
import { type ProtocolId } from "../../src/evaluation/protocols.ts";
import { type Network, networkOf } from "../../src/networks/index.ts";
import type { StoredSet } from "../../src/runs/storedSet.ts";
import { type Artifact, readArtifact } from "../artifact.ts";
import type { Experiment } from "../config.ts";
import { columnsOf } from "../failure.ts";
import type { Row } from "../results.ts";
import { isDone, type RunFolder } from "../runFolder.ts";

/** What is judged: a synthetic set, and all that its evaluation depends on. */
export interface Subject {
  /** Names it in messages. */
  readonly where: string;
  /** Names it while its networks are trained. */
  readonly label: string;
  readonly set: StoredSet;
  /** In label order. */
  readonly classNames: readonly string[];
  /** The real data whose test images judge it, and how networks are trained. */
  readonly experiment: Pick<Experiment, "data" | "network" | "evaluation">;
  /** What its rows say of it. */
  readonly columns: SubjectColumns;
  /** The folder that keeps its rows; none where they are not kept. */
  readonly folder?: { readonly path: string };
}

/** Columns of a row that do not depend on the networks trained. */
export type SubjectColumns = Omit<
  Row,
  | "commit"
  | "engine"
  | "protocol"
  | "evaluationNetwork"
  | "evaluationSeed"
  | "accuracy"
  | "headAccuracy"
  | "mediumAccuracy"
  | "tailAccuracy"
  | "classAccuracies"
  | "evaluationSeconds"
  | "status"
>;

/** A run's result. @throws InputError if the run is not done. */
export function subjectOf(run: RunFolder): Subject {
  const { path, experiment, seed } = run;
  check(isDone(run), () => `${path}: expected a finished run; distil it first: distillery distill CONFIG`);
  const set: Artifact = readArtifact(run);
  const { classNames = "[]", network, distillSeconds, peakMegabytes } = set.card;
  return {
    where: path,
    label: `${experiment.name} seed ${seed}`,
    set,
    classNames: JSON.parse(classNames) as string[],
    experiment,
    columns: {
      ...columnsOf(run),
      network: network!,
      distillSeconds: Number(distillSeconds),
      peakMegabytes: Number(peakMegabytes),
    },
    folder: run,
  };
}

/** What is trained on a set, and how. */
export interface Judging {
  readonly network: Network;
  readonly protocol: ProtocolId;
}

/** The architecture and protocol that a subject's config asks for. */
export function judgingOf(subject: Subject): Judging {
  return judgingsOf(subject)[0];
}

/**
 * The architectures to judge a subject by, each once, and the protocol that its config asks for.
 *
 * @param names architectures and pools of them; by default the config's. @throws InputError for an unknown name, and where
 *   images are too small for one.
 */
export function judgingsOf(
  { set, classNames, experiment }: Subject,
  names?: readonly string[],
): [Judging, ...Judging[]] {
  const { network: matching, evaluation } = experiment;
  const task = { imageShape: set.imageShape, classes: classNames.length };
  const chosen = names
    ? architectures("--networks", names, { matching, evaluation: evaluation.network })
    : [evaluation.network ?? matching];
  const byName = new Map(
    chosen.map((choice) => networkOf(choice, task)).map((network) => [network.name, network]),
  );
  const judgings = [...byName.values()].map((network) => ({ network, protocol: evaluation.protocol }));
  return judgings as [Judging, ...Judging[]];
}

/**
 * Checks that networks trained on a set can be tested on real images.
 *
 * @throws InputError where image shape, classes, labels or constants of the two do not go together.
 */
export function checkFits({ where, set, classNames }: Subject, { train }: Splits): void {
  const { imageShape, labels, softLabels, mean, std } = set;
  const data = train.name;
  check(
    String(imageShape) === String(train.imageShape),
    () =>
      `${where}: expected images of ${train.imageShape.join("×")}, as ${data} has, got ${imageShape.join("×")}; ` +
      "the data set is another one, or its images are resized in another way",
  );
  check(
    JSON.stringify(classNames) === JSON.stringify(train.classNames),
    () =>
      `${where}: expected the classes of ${data} in its order, ${shortened(train.classNames)}, got ` +
      `${shortened(classNames)}; the data set is another one, or has changed since`,
  );
  const classes = classNames.length;
  const outside = labels.findIndex((label) => label < 0 || label >= classes);
  check(
    outside < 0,
    () =>
      `${where}: label of image ${outside}: expected 0 to ${classes - 1}, as ${data} has ${classes} classes, got ${labels[outside]}`,
  );
  const columns = softLabels && softLabels.length / labels.length;
  check(
    columns === undefined || columns === classes,
    () => `${where}: soft_labels: expected ${classes} columns, one for each class of ${data}, got ${columns}`,
  );
  check(
    mean.length === imageShape[2] && std.length === imageShape[2],
    () =>
      `${where}: expected a mean and a std for each of ${imageShape[2]} channels, got ${mean.length} and ${std.length}`,
  );
}

/** The first few of many names. */
function shortened(names: readonly string[]): string {
  return names.length <= 12 ? names.join(", ") : `${names.slice(0, 10).join(", ")}, … (${names.length})`;
}
