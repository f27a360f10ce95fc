import { countOf, type Dataset, subset } from "../../src/datasets/dataset.ts";
import { whitenedDataset } from "../../src/datasets/whitening.ts";
import type { Engine, Tensor } from "../../src/engines/index.ts";
import { disposeTestSet } from "../../src/evaluation/accuracy.ts";
import type { RankingTests } from "../../src/evaluation/rankedNetwork.ts";
import type { RankingProtocol } from "../../src/evaluation/rankingProtocols.ts";
import type { Source } from "../../src/objectives/objective.ts";
import { testSetIn } from "../../src/runs/plan.ts";
import { heldOutPositions, type RankingSetting } from "../../src/runs/ranking.ts";
import { sourceOf } from "../../src/runs/setting.ts";
import type { Space } from "../../src/runs/space.ts";
import { decodedSet, type StoredSet } from "../../src/runs/storedSet.ts";
import { bytes, sha256 } from "../artifact.ts";
import { type Experiment, resolveExperiment } from "../config.ts";
import { loadData } from "../data/load.ts";
import { checkFits, type Subject } from "../judge/subject.ts";

/** How a set is ranked. */
export interface RankingPlan {
  readonly protocol: RankingProtocol;
  /** Evaluation seeds. */
  readonly networks: number;
  readonly looks: boolean;
}

/** A set that is being ranked, with what all of its networks share. Whoever opened it disposes of it. */
export interface OpenRanking {
  readonly subject: Subject & { readonly folder: { readonly path: string } };
  readonly engine: Engine;
  readonly setting: RankingSetting;
  /** What parts that sets share depend on, as the experiment that names their folders. */
  readonly experiment: Experiment;
  /** Real images in the set's space. */
  readonly source: Source;
  /** By which labels the method's images are trained on. */
  readonly labels: "hard" | "soft";
  /** Images of each class. */
  readonly counts: readonly number[];
  /** Images that networks are trained and tested on, by which the time is estimated that they take. */
  readonly sizes: Readonly<Record<"real" | "synthetic" | "test" | "heldOut", number>>;
  /** As networks are trained on it. */
  readonly set: StoredSet;
  /** Its images and soft labels on the engine, made when they are first asked for. */
  tensors(): { readonly images: Tensor; readonly soft: Tensor | undefined };
  dispose(): void;
}

/** @throws InputError where set and real images do not go together. */
export async function openRanking(
  subject: OpenRanking["subject"],
  engine: Engine,
  { protocol, networks, looks }: RankingPlan,
): Promise<OpenRanking> {
  const { splits } = await loadData(subject.experiment.data);
  checkFits(subject, splits);
  const { evaluation, network: matching, data } = subject.experiment;
  const network = evaluation.network ?? matching;
  const experiment = resolveExperiment("ranking", { data, network, steps: 0 });
  const set = decodedSet(subject.set);
  const real = inSpace(set, splits.train, engine);
  const held = heldOutPositions(splits.train);
  const tests = once((): RankingTests => {
    const heldOut = subset(splits.train, held);
    return { test: testSetIn(set, splits.test, engine), heldOut: testSetIn(set, heldOut, engine) };
  });
  const tensors = once(() => {
    const n = set.labels.length;
    return {
      images: engine.tensor([n, ...set.imageShape], set.images),
      soft: set.softLabels && engine.tensor([n, set.softLabels.length / n], set.softLabels),
    };
  });
  return {
    subject,
    engine,
    setting: {
      ...{ protocol, networks, looks, network },
      classNames: splits.train.classNames,
      space: spaceKey(set),
      tests: () => tests.value(),
    },
    experiment,
    source: sourceOf(experiment, { train: real }, engine),
    labels: set.softLabels ? "soft" : "hard",
    counts: countsOf(subject),
    sizes: {
      real: countOf(splits.train),
      synthetic: set.labels.length,
      test: countOf(splits.test),
      heldOut: held.length,
    },
    set,
    tensors: () => tensors.value(),
    dispose() {
      tests.made().forEach(({ test, heldOut }) => [test, heldOut].forEach(disposeTestSet));
      tensors.made().forEach(({ images, soft }) => [images, soft].forEach((tensor) => tensor?.dispose()));
    },
  };
}

/** A value that is made when it is first asked for. */
function once<T>(make: () => T): { value(): T; made(): readonly T[] } {
  const made: T[] = [];
  return {
    value() {
      if (made.length === 0) made.push(make());
      return made[0]!;
    },
    made: () => made,
  };
}

/** Real images that a batch takes to the space of a set. */
function inSpace({ mean, std, whitening }: Space, train: Dataset, engine: Engine): Dataset {
  const real = { ...train, mean, std };
  return whitening ? whitenedDataset(real, whitening, engine) : real;
}

function spaceKey({ mean, std, whitening }: Space): Record<string, unknown> {
  if (!whitening) return { mean, std };
  return { mean, std, whitening: sha256(bytes(whitening.mean), bytes(whitening.matrix)) };
}

/** Stored images of each class: of mosaics the mosaics, also where the set holds their cells. */
function countsOf({ set, classNames, columns }: Subject): number[] {
  const counts = classNames.map(() => 0);
  for (const label of set.labels) counts[label]!++;
  const isEven = counts.every((count) => count === counts[0]);
  return isEven ? counts.map(() => columns.imagesPerClass) : counts;
}
