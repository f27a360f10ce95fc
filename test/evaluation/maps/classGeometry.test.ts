import { describe, expect, test } from "@jest/globals";
import { Matrix } from "ml-matrix";
import { seeded } from "../../../src/core/rng.ts";
import { classGeometry, type LabeledPoints, meanGeometry } from "../../../src/evaluation/maps/index.ts";

const labeled = (rows: readonly (readonly number[])[], labels: readonly number[]): LabeledPoints => ({
  points: { values: Float64Array.from(rows.flat()), width: rows[0]!.length },
  labels,
});

// Class 0: mean (0, 0), covariance diag(8, 0)/(2 − 1); class 1: mean (10, 0), covariance diag(0, 2).
const real = labeled(
  [
    [-2, 0],
    [2, 0],
    [10, -1],
    [10, 1],
  ],
  [0, 0, 1, 1],
);

test("by hand", () => {
  const { overall, classes } = classGeometry(
    real,
    2,
  )(
    labeled(
      [
        [1, 3], // class 0: mean (1, 4), covariance diag(0, 2)
        [1, 5],
        [4, 0], // class 1: nearer to (0, 0) than to (10, 0)
      ],
      [0, 0, 1],
    ),
  );
  expect(classes[0]).toEqual({
    images: 2,
    centerDistance: expect.closeTo(Math.sqrt(17 / 8), 12),
    spreadRatio: expect.closeTo(2 / 8, 12),
    covarianceDistance: expect.closeTo(Math.sqrt(8 ** 2 + 2 ** 2) / 8, 12), // of diag(0, 2) from diag(8, 0)
    nearestClass: 1,
  });
  expect(classes[1]).toEqual({
    images: 1,
    centerDistance: expect.closeTo(6 / Math.sqrt(2), 12),
    spreadRatio: null,
    covarianceDistance: null,
    nearestClass: 0,
  });
  expect(overall).toEqual({
    images: 3,
    centerDistance: expect.closeTo((Math.sqrt(17 / 8) + 6 / Math.sqrt(2)) / 2, 12),
    spreadRatio: expect.closeTo(1 / 4, 12),
    covarianceDistance: expect.closeTo(Math.sqrt(68) / 8, 12),
    nearestClass: 0.5,
  });
});

test("the real points themselves are at their centers, with their own spread and covariance", () => {
  const { classes } = classGeometry(real, 2)(real);
  expect(classes).toEqual(
    [0, 1].map(() => ({
      images: 2,
      centerDistance: 0,
      spreadRatio: 1,
      covarianceDistance: 0,
      nearestClass: 1,
    })),
  );
});

test("a class without points has no numbers, and does not count in the means", () => {
  const { overall, classes } = classGeometry(real, 2)(labeled([[0, 0]], [0]));
  expect(classes[1]).toBeNull();
  expect(overall).toEqual({ ...classes[0] });
});

/** Normal points of three classes around different centers, a factor of deviation for each axis. */
function normal(count: number, stream: string, scale = 1): LabeledPoints {
  const rng = seeded(4).stream(stream);
  const width = 7;
  const labels = Array.from({ length: 3 * count }, (_, i) => Math.floor(i / count));
  const values = Float64Array.from(
    { length: 3 * count * width },
    (_, at) => 4 * labels[Math.floor(at / width)]! + scale * (1 + (at % width) / 3) * rng.normal(),
  );
  return { points: { values, width }, labels };
}

describe("of normal points", () => {
  const reference = normal(60, "real");
  const synthetic = normal(9, "synthetic", 0.7);
  const geometryOf = classGeometry(reference, 3);

  test("inner products give what covariances give", () => {
    const rows = ({ points, labels }: LabeledPoints, label: number): Matrix => {
      const all = Matrix.from1DArray(points.values.length / points.width, points.width, points.values);
      return all.selection(
        Array.from(labels).flatMap((own, i) => (own === label ? [i] : [])),
        Array.from({ length: points.width }, (_, k) => k),
      );
    };
    const covariance = (x: Matrix): Matrix => {
      const centered = x.clone().subRowVector(x.mean("column"));
      return centered
        .transpose()
        .mmul(centered)
        .div(x.rows - 1);
    };
    geometryOf(synthetic).classes.forEach((shape, label) => {
      const [r, s] = [rows(reference, label), rows(synthetic, label)];
      const [cr, cs] = [covariance(r), covariance(s)];
      expect(shape!.covarianceDistance).toBeCloseTo(Matrix.sub(cs, cr).norm() / cr.norm(), 10);
      expect(shape!.spreadRatio).toBeCloseTo(cs.trace() / cr.trace(), 10);
      const shift = Matrix.sub(Matrix.rowVector(s.mean("column")), Matrix.rowVector(r.mean("column")));
      expect(shape!.centerDistance).toBeCloseTo(shift.norm() / Math.sqrt(cr.trace()), 10);
    });
  });

  test("no number depends on where the origin is, or on the unit", () => {
    const moved = ({ points, labels }: LabeledPoints): LabeledPoints => ({
      points: { ...points, values: points.values.map((value, at) => 3 * value - 5 * (at % 7)) },
      labels,
    });
    const there = classGeometry(moved(reference), 3)(moved(synthetic));
    geometryOf(synthetic).classes.forEach((shape, label) => {
      const other = there.classes[label]!;
      expect(other.centerDistance).toBeCloseTo(shape!.centerDistance, 10);
      expect(other.spreadRatio).toBeCloseTo(shape!.spreadRatio!, 10);
      expect(other.covarianceDistance).toBeCloseTo(shape!.covarianceDistance!, 10);
      expect(other.nearestClass).toBe(shape!.nearestClass);
    });
  });

  test("n random real points are 1/√n from the center, with the real spread on average", () => {
    const n = 10;
    const big = classGeometry(normal(1000, "law"), 3);
    const draws = Array.from({ length: 200 }, (_, draw) => big(normal(n, `draw ${draw}`)).overall);
    const over = (values: readonly number[]): { mean: number; error: number } => {
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
      return { mean, error: Math.sqrt(squares / (values.length - 1) / values.length) };
    };
    const spread = over(draws.map(({ spreadRatio }) => spreadRatio!));
    expect(Math.abs(spread.mean - 1)).toBeLessThan(5 * Math.hypot(spread.error, Math.sqrt(2 / 1000 / 3 / 5))); // and the real sample's own, of some 5 directions
    const square = over(draws.map(({ centerDistance }) => centerDistance));
    expect(square.mean).toBeGreaterThan(0.9 / Math.sqrt(n)); // E‖·‖ is a little below √E‖·‖²
    expect(square.mean).toBeLessThan(1.02 / Math.sqrt(n));
  });

  test("points pulled to their class centers have less spread, and their own class is nearer", () => {
    const pulled: LabeledPoints = {
      labels: synthetic.labels,
      points: {
        width: 7,
        values: synthetic.points.values.map(
          (value, at) => 0.5 * value + 2 * Array.from(synthetic.labels)[Math.floor(at / 7)]!,
        ),
      },
    };
    const [before, after] = [geometryOf(synthetic).overall, geometryOf(pulled).overall];
    expect(after.spreadRatio).toBeCloseTo(before.spreadRatio! / 4, 10);
    expect(after.nearestClass).toBeGreaterThanOrEqual(before.nearestClass);
  });
});

test("the mean of geometries is that of each class, and leaves out what some do not know", () => {
  const geometryOf = classGeometry(real, 2);
  const one = geometryOf(labeled([[1, 0]], [0]));
  const two = geometryOf(
    labeled(
      [
        [3, -2],
        [3, 2],
        [10, 0],
      ],
      [0, 0, 1],
    ),
  );
  const { overall, classes } = meanGeometry([one, two]);
  expect(classes[0]!.centerDistance).toBeCloseTo(2 / Math.sqrt(8), 12);
  expect(classes[0]!.spreadRatio).toBe(two.classes[0]!.spreadRatio);
  expect(classes[1]).toEqual(two.classes[1]);
  expect(overall.centerDistance).toBeCloseTo(1 / Math.sqrt(8), 12);
  expect(() => meanGeometry([])).toThrow("meanGeometry: expected at least one geometry, got none");
});

test("what is wrong is said", () => {
  expect(() => classGeometry(labeled([[1], [2], [3]], [0, 0, 1]), 2)).toThrow(
    "classGeometry.real: expected at least 2 points of class 1, got 1",
  );
  expect(() => classGeometry(labeled([[0.1], [0.1], [0.1]], [0, 0, 0]), 1)).toThrow(
    "classGeometry.real: expected points of class 0 that differ, got the same ones",
  );
  const geometryOf = classGeometry(real, 2);
  expect(() => geometryOf(labeled([[1]], [0]))).toThrow("classGeometry: expected points of width 2, got 1");
  expect(() => geometryOf(labeled([[1, 2]], [2]))).toThrow(
    "classGeometry: label of point 0: expected 0 to 1, got 2",
  );
  expect(() => geometryOf(labeled([[1, 2]], [0, 1]))).toThrow(
    "classGeometry: expected 1 labels, one for each point, got 2",
  );
});
