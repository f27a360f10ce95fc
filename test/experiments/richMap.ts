import { mapOptions } from "../../experiments/map/options.ts";
import type { MapRecord, MapSubject } from "../../experiments/map/record.ts";
import { seeded } from "../../src/core/rng.ts";
import type { ClassGeometry } from "../../src/evaluation/maps/index.ts";

const usual = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
const convNet = "convNet-d3-w128-relu-instance-avg";

interface Asked {
  /** Each with its distance from the real class means, and its spread; 1 image per class has none. */
  readonly sets?: Readonly<Record<string, readonly [center: number, spread: number | null]>>;
  readonly classNames?: readonly string[];
  readonly name?: string;
}

const study = { random: [0.32, 1], dm: [0.16, 0.98], csdm: [0.45, 0.42] } as const;

/** A map as the study of `richRows` might have it: classes around a circle, sets nearer to their middles or farther out. */
export function richMap({
  sets = study,
  classNames = usual,
  name = "cifar10-methods",
}: Asked = {}): MapRecord {
  const rng = seeded(6);
  const angle = (label: number): number => (2 * Math.PI * label) / classNames.length;
  const around = (label: number, spread: number): readonly [number, number] => [
    10 * Math.cos(angle(label)) + 2 * spread * rng.normal(),
    6 * Math.sin(angle(label)) + 2 * spread * rng.normal(),
  ];
  const all = [
    ["real", 40, 1] as const,
    ...Object.values(sets).map(([, spread]) => ["set", 10, spread ?? 1] as const),
  ];
  const points = all.flatMap(([, count, spread], i) =>
    classNames.flatMap((_, label) =>
      Array.from({ length: count }, (_, k) => {
        const [x, y] = around(label, spread);
        return { subject: i - 1, label, index: count * label + k, x, y };
      }),
    ),
  );
  const column = <K extends "subject" | "label" | "index" | "x" | "y">(key: K): number[] =>
    points.map((point) => point[key]);
  return {
    name,
    dataset: "cifar10",
    data: { name: "cifar10", imbalance: 1 },
    classNames,
    options: mapOptions(),
    space: { network: convNet, models: 1, accuracies: [0.8], width: 2048 },
    components: { count: 50, share: 0.83 },
    neighborsKept: { count: 10, share: 0.33 },
    subjects: Object.entries(sets).map(([method, numbers]) => subjectOf(method, numbers, classNames.length)),
    points: {
      subject: column("subject"),
      label: column("label"),
      index: column("index"),
      x: column("x"),
      y: column("y"),
    },
    engine: "torch-cpu",
    commit: "0123456789",
  };
}

function subjectOf(
  method: string,
  [center, spread]: readonly [number, number | null],
  classes: number,
): MapSubject {
  return {
    label: method,
    method,
    experiment: `${method}-ipc10`,
    seed: 0,
    imagesPerClass: 10,
    steps: method === "random" ? 0 : 2000,
    geometry: geometryOf(center, spread, classes),
    random: { draws: 5, geometry: geometryOf(0.316, spread === null ? null : 1, classes) },
  };
}

function geometryOf(center: number, spread: number | null, classes: number): ClassGeometry {
  const shape = (label: number) => ({
    images: 10,
    centerDistance: center * (1 + 0.1 * Math.cos(3 * label)),
    spreadRatio: spread === null ? null : spread * (1 + 0.1 * Math.sin(2 * label)),
    covarianceDistance: spread === null ? null : 0.5 + 2 * spread + 0.1 * Math.cos(label),
    nearestClass: Math.max(0, 0.95 - 0.3 * (spread ?? 1) + 0.03 * Math.sin(label)),
  });
  const all = Array.from({ length: classes }, (_, label) => shape(label));
  return { overall: { ...shape(Math.PI / 2), images: 10 * classes }, classes: all };
}
