import { check } from "../../src/core/errors.ts";
import { seeded } from "../../src/core/rng.ts";
import { classCounts, type Dataset, type Splits } from "../../src/datasets/dataset.ts";
import type { Engine } from "../../src/engines/index.ts";
import {
  type LabeledPoints,
  neighborsKept,
  type Points,
  pointCount,
  pointsAt,
  principalComponents,
  type Projection,
  projections,
} from "../../src/evaluation/maps/index.ts";
import type { Source } from "../../src/objectives/objective.ts";
import { type FeatureSpace, featureSpaces } from "../../src/runs/featureSpaces.ts";
import { sourceOf } from "../../src/runs/setting.ts";
import { type Experiment, resolveExperiment } from "../config.ts";
import { dataName } from "../data/load.ts";
import { commit } from "../machine.ts";
import { prepare, preparedFor } from "../preparation.ts";
import { working } from "../progress.ts";
import { pluralOf } from "../report/labels.ts";
import { chosenImages, shownOf } from "./images.ts";
import { measuredSets } from "./measure.ts";
import type { MapOptions } from "./options.ts";
import type { MapPoints, MapRecord } from "./record.ts";
import type { MapSubjects } from "./subjects.ts";

/** Where a map is made. */
export interface MapPlace {
  readonly engine: Engine;
  /** Folder that keeps trained networks. */
  readonly prepared: string;
  /** Of the map. */
  readonly name: string;
}

/** Images of one data set that are on a map. */
interface Shown {
  readonly dataset: Dataset;
  readonly positions: Int32Array;
}

/**
 * Draws real and synthetic images on one map by their features, and measures in the space of features how the classes of each
 * set lie beside the real ones.
 *
 * @throws InputError where there are too few images for it.
 */
export async function featureMap(
  { subjects, experiment, splits }: MapSubjects,
  options: MapOptions,
  { engine, prepared, name }: MapPlace,
): Promise<MapRecord> {
  const real = splits[options.images.split];
  const counts = subjects.map(({ dataset }) => classCounts(dataset));
  const chosen = chosenImages(real, options, Math.max(...counts.flat()));
  const shown: Shown[] = [
    { dataset: real, positions: chosen.shown },
    ...subjects.map(({ dataset }) => ({ dataset, positions: shownOf(dataset, options) })),
  ];
  const projection = projectionOf(options, shown);
  const space = featureSpaceOf(options);
  const source = await sourceFor(space, { experiment, splits }, { engine, prepared });
  const embed = (dataset: Dataset, positions: ArrayLike<number>): LabeledPoints => ({
    points: space.features(source, dataset, positions),
    labels: Int32Array.from(positions, (at) => dataset.labels[at]!),
  });
  const sets = await working("map: features of the sets", () =>
    subjects.map(({ dataset }) => embed(dataset, Array.from(dataset.labels.keys()))),
  );
  const measured = await working("map: features of real images", () =>
    measuredSets(sets, counts, { real, chosen, embed }),
  );
  const features = stacked([
    embed(real, chosen.shown).points,
    ...sets.map(({ points }, i) => pointsAt(points, shown[i + 1]!.positions)),
  ]);
  const { points, components } = reduced(features, options);
  const images = pluralOf(pointCount(points), "image");
  const places = await working(`map: ${images} by ${options.projection.name}`, () =>
    projection.places(points, dice(options).stream("projection")),
  );
  return {
    name,
    dataset: dataName(experiment.data),
    data: withoutRoot(experiment.data),
    classNames: real.classNames,
    options,
    space: { ...engine.scope(() => space.describe(source)), width: features.width },
    components,
    neighborsKept: keptOn(places, points),
    subjects: subjects.map(({ dataset: _, ...about }, i) => ({ ...about, ...measured[i]! })),
    points: columnsOf(places, shown),
    engine: engine.name,
    commit,
  };
}

function withoutRoot({ root: _, ...data }: Experiment["data"]): MapRecord["data"] {
  return data;
}

const dice = ({ seed }: MapOptions) => seeded(seed).stream("map");

/** @throws InputError where it needs more images than are shown, or could not hold them. */
function projectionOf({ projection: chosen }: MapOptions, shown: readonly Shown[]): Projection {
  const { name, ...options } = chosen;
  const projection = projections[name].build(options as never);
  const count = shown.reduce((sum, { positions }) => sum + positions.length, 0);
  const { leastPoints } = projection;
  check(
    count >= leastPoints,
    () =>
      `map: expected at least ${leastPoints} images for ${JSON.stringify(chosen)}, got ${count}; ask for more with ` +
      `images.perClass, or for fewer neighbors with projection.${name === "umap" ? "neighbors" : "perplexity"}`,
  );
  check(
    count <= MOST_POINTS,
    () =>
      `map: expected at most ${MOST_POINTS} images, got ${count}; give fewer sets, or ask for fewer images of each with ` +
      "images.syntheticPerClass and images.perClass",
  );
  return projection;
}

/** The library holds tables of all pairs of points: five of these take a gigabyte. */
const MOST_POINTS = 5000;

function featureSpaceOf({ features: { name, ...options } }: MapOptions): FeatureSpace {
  return featureSpaces[name].build(options as never);
}

/** What features are taken from; networks that must be trained are made, or read where they were made before. */
async function sourceFor(
  space: FeatureSpace,
  {
    experiment,
    splits,
  }: { readonly experiment: Pick<Experiment, "data" | "network">; readonly splits: Splits },
  { engine, prepared }: Pick<MapPlace, "engine" | "prepared">,
): Promise<Source> {
  const { data, network } = experiment;
  const setting = resolveExperiment("map", { data, network, steps: 0 });
  const all = space.preparations.map((one) => preparedFor(prepared, setting, one));
  return await prepare(all, sourceOf(setting, splits, engine));
}

function stacked(parts: readonly Points[]): Points {
  const values = new Float64Array(parts.reduce((sum, part) => sum + part.values.length, 0));
  let begin = 0;
  for (const part of parts) {
    values.set(part.values, begin);
    begin += part.values.length;
  }
  return { values, width: parts[0]!.width };
}

/** Wide features along their principal components. */
function reduced(
  features: Points,
  options: MapOptions,
): { points: Points; components: MapRecord["components"] } {
  const count = Math.min(options.components, pointCount(features) - 1);
  if (options.components === 0 || features.width <= count) return { points: features, components: null };
  const { scores, shares } = principalComponents(features, count, dice(options).stream("components"));
  const share = shares.reduce((sum, one) => sum + one, 0);
  return { points: scores, components: { count, share: short(share) } };
}

/** Neighbors whose keeping tells how far a map can be trusted. */
const NEIGHBORS = 10;

function keptOn(places: Points, points: Points): MapRecord["neighborsKept"] {
  const count = Math.min(NEIGHBORS, pointCount(points) - 1);
  return { count, share: short(neighborsKept(points, places, count)) };
}

/** Digits beyond these say nothing. */
function short(value: number): number {
  return Number(value.toPrecision(6));
}

function columnsOf(places: Points, shown: readonly Shown[]): MapPoints {
  const coordinate = (axis: 0 | 1): number[] =>
    Array.from({ length: pointCount(places) }, (_, i) => short(places.values[2 * i + axis]!));
  return {
    subject: shown.flatMap(({ positions }, i) => Array.from(positions, () => i - 1)),
    label: shown.flatMap(({ dataset, positions }) => Array.from(positions, (at) => dataset.labels[at]!)),
    index: shown.flatMap(({ positions }) => Array.from(positions)),
    x: coordinate(0),
    y: coordinate(1),
  };
}
