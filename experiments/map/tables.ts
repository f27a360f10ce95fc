import type { ClassGeometry, ClassShape } from "../../src/evaluation/maps/index.ts";
import { percent } from "../report/numbers.ts";
import type { MapRecord, MapSubject } from "./record.ts";

/** A line of points.csv: one image. */
export interface PointRow {
  /** The set's label; "real" for real images. */
  readonly set: string;
  readonly class: string;
  /** Position in its set. */
  readonly index: number;
  readonly x: number;
  readonly y: number;
}

export function pointRows({ points, subjects, classNames }: MapRecord): PointRow[] {
  return points.subject.map((subject, i) => ({
    set: subject < 0 ? "real" : subjects[subject]!.label,
    class: classNames[points.label[i]!]!,
    index: points.index[i]!,
    x: points.x[i]!,
    y: points.y[i]!,
  }));
}

/** A line of numbers.csv: one class of a set, or all; empty cells are not known. */
export interface NumberRow {
  readonly set: string;
  /** "synthetic", or "random real" for as many random real images. */
  readonly images: "synthetic" | "random real";
  /** The class's name; "all" for the mean over the classes. */
  readonly class: string;
  readonly count: number;
  readonly centerDistance: number;
  readonly spreadRatio: number | null;
  readonly covarianceDistance: number | null;
  readonly nearestClass: number;
}

export function numberRows({ subjects, classNames }: MapRecord): NumberRow[] {
  const rowOf = (
    set: string,
    images: NumberRow["images"],
    name: string,
    { images: count, ...shape }: ClassShape,
  ): NumberRow => ({ set, images, class: name, count, ...shape });
  const rowsOf = (set: string, images: NumberRow["images"], geometry: ClassGeometry): NumberRow[] => [
    rowOf(set, images, "all", geometry.overall),
    ...geometry.classes.flatMap((shape, label) =>
      shape === null ? [] : [rowOf(set, images, classNames[label]!, shape)],
    ),
  ];
  return subjects.flatMap(({ label, geometry, random }) => [
    ...rowsOf(label, "synthetic", geometry),
    ...(random ? rowsOf(label, "random real", random.geometry) : []),
  ]);
}

/** What was found, to read on a terminal. */
export function mapText(record: MapRecord): string {
  const { subjects, neighborsKept: kept } = record;
  const names = subjects.map(({ label }) => label);
  const width = Math.max("random real images".length, ...names.map((name) => name.length));
  const line = (name: string, count: number, shape: ClassShape): string =>
    [
      name.padEnd(width),
      String(count).padStart(6),
      decimals(shape.centerDistance).padStart(6),
      decimals(shape.spreadRatio).padStart(6),
      decimals(shape.covarianceDistance).padStart(10),
      `${percent(shape.nearestClass)} %`.padStart(13),
    ].join("  ");
  const references = subjects.filter(
    (one, i) => one.random !== null && subjects.findIndex((other) => sameSizes(other, one)) === i,
  );
  return [
    `${"mean over classes".padEnd(width)}  images  center  spread  covariance  nearest class`,
    ...subjects.map((one) => line(one.label, one.geometry.overall.images, one.geometry.overall)),
    ...references.map(({ random }) =>
      line("random real images", random!.geometry.overall.images, random!.geometry.overall),
    ),
    "",
    `Of an image's ${kept.count} nearest neighbors, ${percent(kept.share, 0)} % are among the nearest on the map.`,
  ].join("\n");
}

/** Whether two sets have as many images of each class, and so the same random real ones to compare with. */
export function sameSizes(a: MapSubject, b: MapSubject): boolean {
  const sizes = ({ geometry }: MapSubject): string =>
    geometry.classes.map((shape) => shape?.images ?? 0).join();
  return sizes(a) === sizes(b);
}

function decimals(value: number | null): string {
  return value === null ? "–" : value.toFixed(2);
}
