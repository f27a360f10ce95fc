import type { Rng } from "../core/rng.ts";
import type { Augmentation } from "../datasets/augment.ts";
import { normalized } from "../datasets/dataset.ts";
import { disposeExcept, type Tensor, type Tree } from "../engines/index.ts";
import { imagesAtOnce } from "../networks/network.ts";
import { augmented } from "./classBatches.ts";
import type { MatchingNetworks } from "./networkSources/index.ts";
import type { Source } from "./objective.ts";
import { type ClassFeatures, type Comparison, type Term } from "./term.ts";

/** The real images of one step, and the function that embeds them. */
export interface RealStep {
  readonly source: Source;
  readonly networks: MatchingNetworks;
  /** Positions of each class's images in `source.real`. */
  readonly batches: readonly Int32Array[];
  /** One for each class. */
  readonly augmentations: readonly Augmentation[];
  /** State of each term. */
  readonly states: readonly Tree[];
}

/**
 * What each term compares the synthetic embeddings with. The real images go through the network once, in chunks of
 * `imagesAtOnce`; every term takes a chunk's features in, and they are freed. The images that terms picked come first, and
 * their features are held until the terms have seen them. Under batch norm all images are one chunk.
 */
export function comparisonsWith(step: RealStep, terms: readonly Term[], rng: Rng): Comparison[] {
  const { source, batches, networks, states } = step;
  const { engine, network } = source;
  const counts = batches.map(({ length }) => length);
  const images = Int32Array.from(batches.flatMap((batch) => [...batch]));
  const labels = Int32Array.from(batches.flatMap((batch, label) => Array.from(batch, () => label)));
  const embed = (rows: Int32Array): ClassFeatures =>
    embedded(
      step,
      rows.map((row) => images[row]!),
      rows.map((row) => labels[row]!),
    );

  const dice = terms.map((_, i) => rng.stream(`term/${i}`));
  const picks = terms.map((term, i) => term.pick?.(images.length, dice[i]!));
  const picked = new Set(picks.flatMap((rows) => [...(rows ?? [])]));
  const size = network.statistics.length > 0 ? images.length : imagesAtOnce(network);
  const chunks = inChunks(pickedFirst(images.length, picked), size);
  const first = chunks.slice(0, Math.ceil(picked.size / size));
  const held = first.map(embed);
  const seen = engine.scope(() => pickedFeatures(first, held, picks));

  const folds = terms.map((term, i) =>
    term.prepare({ source, counts, picked: seen[i], networks, state: states[i]! }, dice[i]!),
  );
  let statistics = folds.map(({ start }) => start);
  const takeIn = (features: ClassFeatures): void => {
    const next = engine.scope(() => folds.map((fold, i) => fold.add(statistics[i], features)));
    disposeExcept([statistics, features], next);
    statistics = next;
  };
  held.forEach(takeIn);
  for (const rows of chunks.slice(first.length)) takeIn(embed(rows));
  return folds.map((fold, i) => fold.comparison(statistics[i]));
}

/** All rows, those picked before the others. */
function pickedFirst(count: number, picked: ReadonlySet<number>): Int32Array {
  const rows = Array.from({ length: count }, (_, row) => row);
  return Int32Array.from([...picked, ...rows.filter((row) => !picked.has(row))]);
}

/** Up to `size` rows each; ascending in each, and so class after class. */
function inChunks(rows: Int32Array, size: number): Int32Array[] {
  return Array.from({ length: Math.ceil(rows.length / size) }, (_, i) =>
    rows.slice(i * size, (i + 1) * size).sort(),
  );
}

/** What each term picked, out of the chunks that have it, [picked, d]. */
function pickedFeatures(
  chunks: readonly Int32Array[],
  features: readonly ClassFeatures[],
  picks: readonly (Int32Array | undefined)[],
): (Tensor | undefined)[] {
  if (features.length === 0) return picks.map(() => undefined);
  const { engine } = features[0]!.values;
  const together = engine.concat(features.map(({ values }) => values));
  const places = new Map(chunks.flatMap((rows) => [...rows]).map((row, place) => [row, place]));
  return picks.map((rows) => rows && together.gather(engine.indices(rows.map((row) => places.get(row)!))));
}

/** Embeddings of real images, which are sorted by class, each augmented as its class is. */
function embedded(step: RealStep, images: Int32Array, labels: Int32Array): ClassFeatures {
  const { engine, network, real } = step.source;
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const rows = { classes: [...counts.keys()], counts: [...counts.values()] };
  return engine.scope(() => {
    const values = engine.tensor([images.length, ...real.imageShape], normalized(real, images));
    return {
      ...rows,
      values: network.embed(step.networks.parameters, augmented({ ...rows, values }, step.augmentations)),
    };
  });
}
