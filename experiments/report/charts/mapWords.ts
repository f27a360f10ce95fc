import type { MapRecord } from "../../map/record.ts";
import { listed, pluralOf } from "../labels.ts";
import { percent } from "../numbers.ts";

/** "cifar10, 1000 real training images and 400 of dm and iid, by UMAP of …": what a map is made of. */
export function madeOf(map: MapRecord): string {
  const { dataset, options, points, subjects, components } = map;
  const real = points.subject.filter((subject) => subject < 0).length;
  const images = options.images.split === "train" ? "real training image" : "real test image";
  const sets = `${points.subject.length - real} of ${listed(subjects.map(({ label }) => label))}`;
  const from = components
    ? `, of which ${components.count} principal components keep ${percent(components.share, 0)} % of the variance`
    : "";
  return `${dataset}, ${pluralOf(real, images)} and ${sets}, by ${drawing(map)} of ${spaceOf(map)}${from}.`;
}

function drawing({ options: { projection } }: MapRecord): string {
  return projection.name === "umap"
    ? `UMAP (${projection.neighbors} neighbors, minDist ${projection.minDist})`
    : `t-SNE (perplexity ${projection.perplexity})`;
}

/** "penultimate features of a trained convNet-d3-w32-relu-instance-avg". */
export function spaceOf({ options, space }: MapRecord): string {
  const { network, models } = space;
  if (network === null) return "pixels";
  const kind = options.features.name;
  return `penultimate features of ${models === 1 ? `a ${kind}` : `${models} ${kind} networks`} ${network}`;
}

/** How far a map can be trusted. */
export function trustIn({ neighborsKept: { count, share } }: MapRecord): string {
  return (
    "All images are on one map, so that places in panels compare; sizes of clusters and of gaps mean little. " +
    `Of an image’s ${count} nearest neighbors, ${percent(share, 0)} % are among the nearest on the map.`
  );
}
