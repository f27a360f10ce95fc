import { check } from "../../core/errors.ts";
import { mean } from "../statistics.ts";
import {
  checkPoints,
  coincide,
  pointAt,
  type Points,
  pointCount,
  pointsAt,
  squaredDistance,
} from "./points.ts";

/** Points and the class of each, 0 … classes − 1. */
export interface LabeledPoints {
  /** Such as the features of images. */
  readonly points: Points;
  /** One for each point. */
  readonly labels: ArrayLike<number>;
}

/** How the points of one class lie beside the real ones of it. Of classes with one point spread and covariance are unknown. */
export interface ClassShape {
  /** How many there are; of all classes together, all. */
  readonly images: number;
  /** Distance of the class's mean from that of the real points, in root mean square distances of real points from it; 0 or more. */
  readonly centerDistance: number;
  /** Within-class variance over that of the real points; 0 or more, 1 where equal. */
  readonly spreadRatio: number | null;
  /** Frobenius distance of the class's covariance from that of the real points, over the norm of the latter; 0 or more. */
  readonly covarianceDistance: number | null;
  /** Share of the points that are nearest to the real mean of their own class, 0 to 1. */
  readonly nearestClass: number;
}

/** Shapes of all classes, and what they are on average. */
export interface ClassGeometry {
  /** Means over the classes that have points and, where it is so of some, know the number. */
  readonly overall: ClassShape;
  /** In label order; null where a class has no points. */
  readonly classes: readonly (ClassShape | null)[];
}

/** Moments of one class's points. */
interface Moments {
  readonly mean: Float64Array;
  /** Points without the mean. */
  readonly centered: Points;
  /** Trace of the covariance; 0 of a single point. */
  readonly variance: number;
}

/**
 * Measures classes of points against real ones in the same space. With μ and C the mean and the covariance (divisor n − 1) of a
 * class, r of the real points and s of those that are measured:
 *
 *     center distance      ‖μ_s − μ_r‖₂ / √tr C_r          of n random real points about 1/√n
 *     spread ratio         tr C_s / tr C_r                  of random real points 1 on average
 *     covariance distance  ‖C_s − C_r‖_F / ‖C_r‖_F          of n random real points about √(1 + tr² C_r/‖C_r‖²_F)/√n
 *     nearest class        share of points x with argmin_c ‖x − μ_r,c‖₂ their own class
 *
 * Norms of covariances come from inner products of points, ⟨A, B⟩_F = ‖Z_A Z_Bᵀ‖²_F/((n_A − 1)(n_B − 1)) with Z the centered
 * points, so that no covariance is ever held.
 *
 * @param real at least 2 points of each class that do not coincide. @param classes how many there are.
 * @returns what measures a labeled set.
 * @throws InputError where classes have too few points or no spread, or widths and labels do not fit.
 */
export function classGeometry(
  real: LabeledPoints,
  classes: number,
): (measured: LabeledPoints) => ClassGeometry {
  const references = byClass("classGeometry.real", real, classes).map((points, label) => {
    const n = points === null ? 0 : pointCount(points);
    check(n >= 2, () => `classGeometry.real: expected at least 2 points of class ${label}, got ${n}`);
    check(
      !coincide(points!),
      () => `classGeometry.real: expected points of class ${label} that differ, got the same ones`,
    );
    const moments = momentsOf(points!);
    return { ...moments, squaredNorm: covarianceProduct(moments, moments) };
  });
  const means = references.map((reference) => reference.mean);
  return (measured) => {
    check(
      measured.points.width === real.points.width,
      () => `classGeometry: expected points of width ${real.points.width}, got ${measured.points.width}`,
    );
    const shapes = byClass("classGeometry", measured, classes).map((points, label) =>
      points === null ? null : shapeOf(points, { label, reference: references[label]!, means }),
    );
    return { overall: averaged(shapes), classes: shapes };
  };
}

interface Beside {
  readonly label: number;
  readonly reference: Moments & { readonly squaredNorm: number };
  /** Of all classes' real points. */
  readonly means: readonly Float64Array[];
}

function shapeOf(points: Points, { label, reference, means }: Beside): ClassShape {
  const images = pointCount(points);
  const own = momentsOf(points);
  const nearest = Array.from({ length: images }, (_, i) => {
    const distances = means.map((center) => squaredDistance(pointAt(points, i), center));
    return distances.indexOf(Math.min(...distances));
  });
  const several = images > 1;
  return {
    images,
    centerDistance: Math.sqrt(squaredDistance(own.mean, reference.mean) / reference.variance),
    spreadRatio: several ? own.variance / reference.variance : null,
    covarianceDistance: several ? covarianceDistance(own, reference) : null,
    nearestClass: nearest.filter((found) => found === label).length / images,
  };
}

function covarianceDistance(own: Moments, reference: Beside["reference"]): number {
  const squared = covarianceProduct(own, own) - 2 * covarianceProduct(own, reference) + reference.squaredNorm;
  return Math.sqrt(Math.max(0, squared) / reference.squaredNorm); // rounding can leave less than 0
}

/** ⟨C_a, C_b⟩_F. */
function covarianceProduct({ centered: a }: Moments, { centered: b }: Moments): number {
  const [n, m] = [pointCount(a), pointCount(b)];
  const { width } = a;
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const row = pointAt(a, i);
    for (let j = 0; j < m; j++) {
      const other = j * width;
      let product = 0;
      for (let k = 0; k < width; k++) product += row[k]! * b.values[other + k]!;
      sum += product * product;
    }
  }
  return sum / ((n - 1) * (m - 1));
}

function momentsOf(points: Points): Moments {
  const { width } = points;
  const n = pointCount(points);
  const center = new Float64Array(width);
  points.values.forEach((value, at) => (center[at % width]! += value / n));
  const values = points.values.map((value, at) => value - center[at % width]!);
  const squares = values.reduce((sum, value) => sum + value * value, 0);
  return { mean: center, centered: { values, width }, variance: n > 1 ? squares / (n - 1) : 0 };
}

/** Points of each class; null of those without. */
function byClass(where: string, { points, labels }: LabeledPoints, classes: number): (Points | null)[] {
  const n = checkPoints(where, points);
  check(
    labels.length === n,
    () => `${where}: expected ${n} labels, one for each point, got ${labels.length}`,
  );
  const members: number[][] = Array.from({ length: classes }, () => []);
  for (let i = 0; i < n; i++) {
    const own = members[labels[i]!];
    check(
      own !== undefined,
      () => `${where}: label of point ${i}: expected 0 to ${classes - 1}, got ${labels[i]}`,
    );
    own.push(i);
  }
  return members.map((own) => (own.length === 0 ? null : pointsAt(points, own)));
}

/** The mean of geometries of one number of classes, class by class. Images are counted once. */
export function meanGeometry(geometries: readonly ClassGeometry[]): ClassGeometry {
  check(geometries.length > 0, () => "meanGeometry: expected at least one geometry, got none");
  const classes = geometries[0]!.classes.map((_, label) => {
    const known = geometries.flatMap((geometry) => geometry.classes[label] ?? []);
    return known.length === 0 ? null : { ...meanShape(known), images: known[0]!.images };
  });
  return { overall: averaged(classes), classes };
}

function averaged(shapes: readonly (ClassShape | null)[]): ClassShape {
  return meanShape(shapes.filter((shape) => shape !== null));
}

function meanShape(shapes: readonly ClassShape[]): ClassShape {
  const over = (values: readonly (number | null)[]): number | null => {
    const known = values.filter((value) => value !== null);
    return known.length === 0 ? null : mean(known);
  };
  return {
    images: shapes.reduce((sum, { images }) => sum + images, 0),
    centerDistance: mean(shapes.map((shape) => shape.centerDistance)),
    spreadRatio: over(shapes.map((shape) => shape.spreadRatio)),
    covarianceDistance: over(shapes.map((shape) => shape.covarianceDistance)),
    nearestClass: mean(shapes.map((shape) => shape.nearestClass)),
  };
}
