import * as druid from "@saehrimnir/druidjs";
import { z } from "zod";
import { check } from "../../core/errors.ts";
import type { Rng } from "../../core/rng.ts";
import { checkPoints, pointAt, type Points, pointCount } from "./points.ts";
import { principalComponents } from "./principalComponents.ts";

/** A way to draw points of many dimensions in two. */
export interface Projection {
  /** Fewest points that it can draw. */
  readonly leastPoints: number;
  /**
   * Places of the points on the map, [n, 2], without unit. The same points and dice give the same places.
   *
   * @throws InputError for fewer points than `leastPoints`, or points that are all the same.
   */
  places(points: Points, rng: Rng): Points;
}

/** Options of `umap`, with the defaults of its authors' code. */
export const umapOptions = z.strictObject({
  neighbors: z
    .int()
    .min(2)
    .default(15)
    .describe("Points that count as near, itself among them; more show coarser structure"),
  minDist: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe("Distance of near points on the map; less packs clusters closer"),
  epochs: z.int().min(1).default(500).describe("Passes over the graph of neighbors"),
});

/** Options of `tsne`. */
export const tsneOptions = z.strictObject({
  perplexity: z.number().min(1).default(30).describe("About how many neighbors a point has"),
  iterations: z.int().min(1).default(750).describe("Steps of gradient descent"),
  learningRate: z
    .number()
    .positive()
    .optional()
    .describe("Of gradient descent; by default n/48 of n points, at least 50"),
});

/** Repulsions for each attraction, as McInnes, Healy and Melville have it. */
const REPULSIONS = 5;
/** Largest coordinate of where UMAP starts, and deviation of where t-SNE does, along the first component. */
const [UMAP_REACH, TSNE_DEVIATION] = [10, 1e-4];
/** Largest seed that is taken by the library's generator of random numbers. */
const SEEDS = 2 ** 31;

/**
 * Uniform manifold approximation and projection (McInnes, Healy and Melville, arXiv:1802.03426), by DruidJS, from the first
 * two principal components, scaled to reach ±10.
 */
export function umap({ neighbors, minDist, epochs }: z.infer<typeof umapOptions>): Projection {
  const leastPoints = Math.max(3, neighbors + 1);
  return {
    leastPoints,
    places(points, rng) {
      checkPoints("umap.points", points, leastPoints);
      const reduction = new druid.UMAP(rowsOf(points), {
        n_neighbors: neighbors,
        min_dist: minDist,
        _n_epochs: epochs,
        // DruidJS takes it as the attractions for each repulsion, where the method's own code has repulsions for each attraction.
        _negative_sample_rate: 1 / REPULSIONS,
        seed: rng.stream("seed").integer(SEEDS),
      });
      reduction.Y = start(points, rng, ({ largest }) => UMAP_REACH / largest);
      return pointsOf(reduction.transform(epochs));
    },
  };
}

/**
 * t-distributed stochastic neighbor embedding (van der Maaten and Hinton, JMLR 9, 2008), exact, by DruidJS, from the first two
 * principal components, scaled to a deviation of 10⁻⁴ along the first (Kobak and Linderman, Nature Biotechnology 39, 2021).
 */
export function tsne({ perplexity, iterations, learningRate }: z.infer<typeof tsneOptions>): Projection {
  const leastPoints = Math.max(3, Math.ceil(perplexity) + 2);
  return {
    leastPoints,
    places(points, rng) {
      const n = checkPoints("tsne.points", points, leastPoints);
      const reduction = new druid.TSNE(rowsOf(points), {
        perplexity,
        epsilon: learningRate ?? Math.max(50, n / 48), // that of scikit-learn
        seed: rng.stream("seed").integer(SEEDS),
      });
      reduction.Y = start(points, rng, ({ deviation }) => TSNE_DEVIATION / deviation);
      return pointsOf(reduction.transform(iterations));
    },
  };
}

/** All projections by name, each with its options. */
export const projections = {
  umap: { options: umapOptions, build: umap },
  tsne: { options: tsneOptions, build: tsne },
};

/** The first two principal components, scaled: a map from there keeps more of what is far from what, and is the same each time. */
function start(
  points: Points,
  rng: Rng,
  scaleOf: (first: { readonly largest: number; readonly deviation: number }) => number,
): druid.Matrix {
  check(points.width >= 2, () => `projection.points: expected a width of at least 2, got ${points.width}`);
  const { scores } = principalComponents(points, 2, rng.stream("start"));
  const largest = scores.values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const squares = scores.values.reduce((sum, value, i) => (i % 2 === 0 ? sum + value * value : sum), 0);
  const scale = scaleOf({ largest, deviation: Math.sqrt(squares / pointCount(points)) });
  return druid.Matrix.from(
    rowsOf({ values: Float64Array.from(scores.values, (value) => scale * value), width: 2 }),
  );
}

function rowsOf(points: Points): number[][] {
  return Array.from({ length: pointCount(points) }, (_, i) => Array.from(pointAt(points, i)));
}

function pointsOf(rows: readonly (readonly number[])[]): Points {
  return { values: Float64Array.from(rows.flat()), width: 2 };
}
