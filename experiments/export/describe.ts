import { existsSync } from "node:fs";
import { type Protocol, type ProtocolId, protocols, trainingFor } from "../../src/evaluation/protocols.ts";
import { mean, sampleStandardDeviation } from "../../src/evaluation/statistics.ts";
import { networkOf } from "../../src/networks/index.ts";
import { type Artifact, bytes, decodingOf, sha256 } from "../artifact.ts";
import { readJson } from "../files.ts";
import type { Row } from "../results.ts";
import { fileOf, type RunFolder } from "../runFolder.ts";
import { methodName } from "../setting.ts";
import type { Card, ExpectedAccuracy } from "./card.ts";

/** Marks the card's structure. */
const FORMAT = "distillery export 1";

/** What is in each array, for who opens the files without this program. */
const arrayNotes = {
  images: "float32 [n, channels, height, width], as trained on: in the space that `space` names",
  images_pixel:
    "float32 [n, channels, height, width], black 0 and white 1; not clipped, learned values may lie beyond",
  mosaics:
    "float32 [m, channels, height, width], as learned and counted: `partition` says how their cells become `images`",
  labels: "int64 [n], positions in classNames",
  soft_labels: "float32 [n, classes], rows of probabilities to train with instead of labels",
  lr: "float32 [1], learned learning rate to train with instead of the protocol's",
  zca_mean: "float32 [d], d = channels · height · width: images = (normalized − zca_mean) @ zca_matrix",
  zca_matrix: "float32 [d, d]",
  zca_inverse: "float32 [d, d]: normalized = images @ zca_inverse + zca_mean",
} as const;

/** What card.json says of a run's result, but for what its PNGs lose. */
export function cardOf(
  run: RunFolder,
  artifact: Artifact,
  { rows, arrays, license }: { rows: readonly Row[]; arrays: readonly string[]; license: string },
): Card {
  const { experiment, seed } = run;
  const { name, ...config } = experiment;
  const { card, partition, whitening, learningRate } = artifact;
  const { evaluation } = experiment;
  const classNames = JSON.parse(card.classNames!) as string[];
  const protocol: Protocol = protocols[evaluation.protocol];
  const network = evaluation.network ?? experiment.network;
  const task = { imageShape: artifact.imageShape, classes: classNames.length };
  const judged = {
    dataset: experiment.data.name,
    classNames: JSON.parse(card.wholeClassNames ?? card.classNames!) as string[],
    network: networkOf(network, task),
    learningRate,
  };
  return {
    format: FORMAT,
    name: `${name}-seed-${seed}`,
    method: methodName(experiment),
    plugins: experiment.plugins.map((plugin) => plugin.name),
    version: card.distillery,
    commit: card.commit,
    engine: card.engine,
    license,
    seed,
    distillSeconds: Number(card.distillSeconds),
    ...(card.peakMegabytes !== undefined && { peakMegabytes: Number(card.peakMegabytes) }),
    config: { ...config, seeds: [seed] },
    dataset: datasetOf(run, artifact),
    classNames,
    space: whitening ? "whitened" : "normalized",
    spaceNote: card.space,
    mean: [...artifact.mean],
    std: [...artifact.std],
    ...(partition && { partition: decodingOf(partition) }),
    arrays: Object.fromEntries(
      arrays.map((name) => [
        name,
        Object.entries(arrayNotes).find(([known]) => known === name)?.[1] ?? "learned by the method",
      ]),
    ),
    network: { name: card.network!, flattenOrder: card.flattenOrder },
    evaluation: {
      protocol: protocol.id,
      protocolVersion: protocol.version,
      description: protocol.description,
      network,
      networks: evaluation.networks,
      ...trainingFor(protocol, judged),
    },
    expected: expectedAccuracies(rows),
  };
}

/** Which images the set was distilled from: data set and options, and hashes of what they came to. */
function datasetOf(run: RunFolder, { card }: Artifact): Card["dataset"] {
  const { data } = run.experiment;
  const options = Object.fromEntries(Object.entries(data).filter(([key]) => key !== "root"));
  const { trainingImages, trainingSha256 } = card;
  const file = fileOf(run, "indices");
  const indices = existsSync(file) ? (readJson(file) as number[]) : undefined;
  return {
    ...options,
    name: data.name,
    ...(trainingImages !== undefined && { trainingImages: Number(trainingImages) }),
    // Of pixel bytes, [n, height, width, channels], and then the labels as int32.
    ...(trainingSha256 !== undefined && { trainingSha256 }),
    // Of positions in the full training split as int32.
    ...(indices && { indicesSha256: sha256(bytes(Int32Array.from(indices))) }),
  };
}

/** Rows of networks that came to an end, together where protocol and architecture are the same. */
function expectedAccuracies(rows: readonly Row[]): ExpectedAccuracy[] {
  const done = rows.filter(({ status, protocol }) => status === "done" && Object.hasOwn(protocols, protocol));
  const kinds = [
    ...new Set(done.map(({ protocol, evaluationNetwork }) => `${protocol} ${evaluationNetwork}`)),
  ];
  return kinds.map((kind) =>
    expectedAccuracy(
      done.filter(({ protocol, evaluationNetwork }) => kind === `${protocol} ${evaluationNetwork}`),
    ),
  );
}

/** Mean and spread of rows of one protocol and architecture. */
export function expectedAccuracy(rows: readonly Row[]): ExpectedAccuracy {
  const { protocol, evaluationNetwork } = rows[0]!;
  const accuracies = rows.map(({ accuracy }) => accuracy);
  return {
    protocol,
    protocolVersion: protocols[protocol as ProtocolId].version,
    network: evaluationNetwork,
    accuracy: mean(accuracies),
    std: accuracies.length > 1 ? sampleStandardDeviation(accuracies) : null,
    networks: accuracies.length,
    accuracies,
  };
}
