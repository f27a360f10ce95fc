import { describe, expect, test } from "@jest/globals";
import { seeded } from "../../../src/core/rng.ts";
import {
  nearestPoints,
  neighborsKept,
  type Points,
  projections,
  squaredDistance,
  tsne,
  tsneOptions,
  umap,
  umapOptions,
} from "../../../src/evaluation/maps/index.ts";

const CLUSTERS = 5;
const WIDTH = 12;
const N = 150;

/** Points around five centers in turn, and copies of the first few at the end. */
function clustered(copies = 0, spread = 0.5): Points {
  const rng = seeded(5);
  const centers = rng.fillNormal(new Float64Array(CLUSTERS * WIDTH)).map((value) => 3 * value);
  const values = new Float64Array((N + copies) * WIDTH);
  for (let i = 0; i < N; i++) {
    for (let k = 0; k < WIDTH; k++)
      values[i * WIDTH + k] = centers[(i % CLUSTERS) * WIDTH + k]! + spread * rng.normal();
  }
  values.copyWithin(N * WIDTH, 0, copies * WIDTH);
  return { values, width: WIDTH };
}

const place = ({ values }: Points, i: number): Float64Array => values.subarray(2 * i, 2 * i + 2);

const made = {
  umap: umap(umapOptions.parse({ epochs: 200 })),
  tsne: tsne(tsneOptions.parse({ perplexity: 15, iterations: 300 })),
};

test("every projection of the table is tested here", () => {
  expect(Object.keys(made)).toEqual(Object.keys(projections));
});

describe.each(Object.entries(made))("%s", (name, projection) => {
  const points = clustered(6);
  const places = projection.places(points, seeded(1));

  test("gives every point a finite place, and leaves the points as they were", () => {
    expect(places.width).toBe(2);
    expect(places.values).toHaveLength(2 * (N + 6));
    expect(places.values.every(Number.isFinite)).toBe(true);
    expect(points.values).toEqual(clustered(6).values);
  });

  test("gives the same bits to the same points and dice, whatever the stream was used for before", () => {
    const used = seeded(1);
    used.uniform();
    expect(projection.places(clustered(6), used).values).toEqual(places.values);
  });

  test("keeps well separated clusters apart: a point's neighbors are of its cluster", () => {
    const nearest = nearestPoints(places, 5);
    const cluster = (i: number): number => (i < N ? i : i - N) % CLUSTERS;
    const alike = nearest.flatMap((own, i) => Array.from(own, (j) => cluster(j) === cluster(i)));
    expect(alike.filter((same) => !same)).toEqual([]);
  });

  test("keeps far more neighbors than chance does", () => {
    expect(neighborsKept(points, places, 10)).toBeGreaterThan(0.5); // by chance 10/155
  });

  test("puts copies of a point beside it", () => {
    const spans = [0, 1].map((axis) => {
      const along = places.values.filter((_, at) => at % 2 === axis);
      return Math.max(...along) - Math.min(...along);
    });
    const size = Math.hypot(...spans);
    for (let i = 0; i < 6; i++) {
      const distance = Math.sqrt(squaredDistance(place(places, i), place(places, N + i)));
      expect(distance).toBeLessThan(0.05 * size);
    }
  });

  test("says how many points it needs", () => {
    const few = { values: clustered().values.slice(0, WIDTH * (projection.leastPoints - 1)), width: WIDTH };
    expect(() => projection.places(few, seeded(0))).toThrow(
      `${name}.points: expected at least ${projection.leastPoints} points, got ${projection.leastPoints - 1}`,
    );
    const enough = { values: clustered().values.slice(0, WIDTH * projection.leastPoints), width: WIDTH };
    expect(projection.places(enough, seeded(0)).values.every(Number.isFinite)).toBe(true);
  });

  test("takes no points that are all the same, and none on a line's width", () => {
    expect(() => projection.places({ values: new Float64Array(300).fill(1), width: 2 }, seeded(0))).toThrow(
      "expected points that differ",
    );
    expect(() => projection.places({ values: clustered().values, width: 1 }, seeded(0))).toThrow(
      "projection.points: expected a width of at least 2, got 1",
    );
  });
});

test("other dice give UMAP another map of the same neighborhoods", () => {
  const points = clustered();
  const [one, other] = [1, 2].map((seed) => made.umap.places(points, seeded(seed))) as [Points, Points];
  expect(other.values).not.toEqual(one.values);
  expect(neighborsKept(one, other, 10)).toBeGreaterThan(0.5);
});

test("less room between near points packs them closer", () => {
  const meanNearest = (minDist: number): number => {
    const places = umap(umapOptions.parse({ minDist })).places(clustered(0, 1), seeded(1));
    const distances = nearestPoints(places, 1).map((own, i) =>
      Math.sqrt(squaredDistance(place(places, i), place(places, own[0]!))),
    );
    return distances.reduce((sum, value) => sum + value, 0) / distances.length;
  };
  expect(meanNearest(0.01)).toBeLessThan(0.6 * meanNearest(0.8));
});
