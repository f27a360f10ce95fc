import type { ImageDifficulty } from "../../src/evaluation/difficulty.ts";
import { type Chart, slug } from "../report/charts/chart.ts";
import { type Axis, framed, quantity } from "../report/charts/frame.ts";
import { panelled } from "../report/charts/panels.ts";
import { pluralOf } from "../report/labels.ts";
import type { ScoredSubject } from "./score.ts";

/** What a chart shows of the images at one χ: quartiles of GraDN, and the span of nine tenths of the images. */
interface Box {
  readonly x: number;
  readonly low: number;
  readonly q1: number;
  readonly median: number;
  readonly q3: number;
  readonly high: number;
  readonly images: number;
}

/** GraDN by χ over all images, and the same of each class by itself, as in figure 3 of the paper. */
export function difficultyCharts(scored: ScoredSubject): Chart[] {
  const { difficulty, images } = scored;
  const { labels, classNames } = images.dataset;
  const all = Array.from(labels.keys());
  const byClass = classNames.map((_, label) => all.filter((i) => labels[i] === label));
  const present = byClass.flatMap((members, label) => (members.length > 0 ? [{ label, members }] : []));
  return [
    overall(scored, all),
    ...pages(present).map((page, i) =>
      perClass(
        scored,
        page.map(({ label, members }) => ({ name: classNames[label]!, members })),
        i,
      ),
    ),
  ].map((chart) => ({ ...chart, alt: `${chart.alt} ${inNumbers(difficulty, all)}` }));
}

/** Panels of one chart. */
const PANELS = 20;

function pages<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / PANELS) }, (_, i) =>
    all.slice(i * PANELS, (i + 1) * PANELS),
  );
}

const horizontal: Axis & { domain: readonly [number, number] } = {
  title: "Share of networks that misclassify the image, χ",
  domain: [-0.07, 1.07],
  values: [0, 0.25, 0.5, 0.75, 1],
};

/** Share of the values' span that is left free below and above. */
const MARGIN = 0.04;

/** As far as the values of all images go. */
function vertical({ gradn }: ImageDifficulty, title: string): Axis & { domain: readonly [number, number] } {
  const [least, most] = [gradn.reduce((a, b) => Math.min(a, b)), gradn.reduce((a, b) => Math.max(a, b))];
  const margin = MARGIN * (most - least || 1);
  return { title, grid: true, domain: [least - margin, most + margin] };
}

function overall(scored: ScoredSubject, members: readonly number[]): Chart {
  const { difficulty, label } = scored;
  return {
    ...common(scored),
    id: `difficulty-${slug(label)}`,
    title: "Gradient norm by misclassification",
    caption: `${setting(scored)} ${reading}`,
    spec: framed(
      layers(scored, members, {
        x: horizontal,
        y: vertical(difficulty, "Gradient norm, GraDN"),
        width: boxWidth(scored, 11),
      }),
    ),
  };
}

function perClass(
  scored: ScoredSubject,
  classes: readonly { readonly name: string; readonly members: readonly number[] }[],
  page: number,
): Chart {
  const { difficulty, label } = scored;
  const panels = classes.map(({ name, members }, i) => ({
    name,
    layers: (x: Axis, y: Axis) =>
      layers(scored, members, { x, y, width: boxWidth(scored, 6), suffix: `_${i}` }),
  }));
  return {
    ...common(scored),
    id: `difficulty-by-class-${slug(label)}${page === 0 ? "" : `-${page + 1}`}`,
    title: "Gradient norm by misclassification, class by class",
    caption: `${setting(scored)} ${reading}`,
    spec: panelled(panels, {
      x: { ...horizontal, values: [0, 0.5, 1] },
      y: vertical(difficulty, "GraDN"),
      columns: 2,
      height: 90,
    }),
  };
}

function common(scored: ScoredSubject): Omit<Chart, "id" | "title" | "spec"> {
  return {
    section: "classes",
    dataset: scored.options.data.name,
    methods: [],
    legend: [],
    alt: `Gradient norm of each image against the share of networks that misclassify it. ${setting(scored)}`,
  };
}

const reading =
  "Each point is an image, points of one χ side by side; a box spans their quartiles, its line is their median, and its " +
  "whiskers hold nine tenths of them.";

function setting({ label, network, options, images }: ScoredSubject): string {
  const { models, epochs } = options.networks;
  const count = images.dataset.labels.length;
  return (
    `${label}, ${pluralOf(count, "image")} under ${pluralOf(models, "network")} ${network} ` +
    `of ${pluralOf(epochs, "epoch")}.`
  );
}

/** Most points of a plot; of more images, evenly spaced ones are drawn. */
const POINTS = 2000;
/** Fewest images that have a box. */
const BOXED = 5;

/** Share of the distance between two χ that points spread over, so that they do not hide each other. */
const SPREAD = 0.5;
/** The golden ratio's fraction, whose multiples are spread evenly. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** Pixels of a box: fewer where many networks give many χ. */
function boxWidth({ options }: ScoredSubject, most: number): number {
  return Math.min(most, (20 * most) / options.networks.models);
}

interface Drawn {
  readonly x: Axis;
  readonly y: Axis;
  /** Of a box, in pixels. */
  readonly width: number;
  /** Of the layers' names. */
  readonly suffix?: string;
}

function layers(
  { difficulty: { gradn, misclassified }, options }: ScoredSubject,
  members: readonly number[],
  { x, y, width, suffix = "" }: Drawn,
): object[] {
  const every = Math.ceil(members.length / POINTS);
  const sideways = SPREAD / options.networks.models;
  const points = members
    .filter((_, i) => i % every === 0)
    .map((i, at) => ({ x: misclassified[i]! + sideways * (((at * GOLDEN) % 1) - 0.5), y: gradn[i]! }));
  const boxes = [...grouped(members, (i) => misclassified[i]!)]
    .filter(([, own]) => own.length >= BOXED)
    .map(([at, own]) =>
      boxOf(
        at,
        own.map((i) => gradn[i]!),
      ),
    );
  const layer = (name: string, mark: object, encoding: object): object => ({
    name: `${name}${suffix}`,
    data: { values: name === "images" ? points : boxes },
    mark: { aria: false, ...mark },
    encoding: { x: quantity("x", x), ...encoding },
  });
  const span = (from: string, to: string): object => ({ y: quantity(from, y), y2: { field: to } });
  const [color, said] = ["var(--s1)", { description: { field: "text" } }];
  return [
    layer(
      "images",
      { type: "point", filled: true, size: 8, opacity: 0.35, color: "var(--s0)" },
      { y: quantity("y", y) },
    ),
    layer("whiskers", { type: "rule", color, strokeWidth: 1.5 }, span("low", "high")),
    layer(
      "quartiles",
      { type: "bar", color, opacity: 0.75, width, aria: true },
      { ...span("q1", "q3"), ...said },
    ),
    layer(
      "median",
      { type: "tick", orient: "horizontal", color: "var(--ink)", thickness: 2, size: width },
      { y: quantity("median", y) },
    ),
  ];
}

function grouped(members: readonly number[], key: (i: number) => number): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  for (const i of members) {
    const own = groups.get(key(i));
    if (own) own.push(i);
    else groups.set(key(i), [i]);
  }
  return groups;
}

function boxOf(x: number, values: readonly number[]): Box & { readonly text: string } {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => {
    const place = share * (sorted.length - 1);
    const below = Math.floor(place);
    const above = Math.min(below + 1, sorted.length - 1);
    return sorted[below]! + (place - below) * (sorted[above]! - sorted[below]!);
  };
  const [low, q1, median, q3, high] = [0.05, 0.25, 0.5, 0.75, 0.95].map(at) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const text = `χ ${(100 * x).toFixed(0)}%: median ${median.toPrecision(3)} of ${pluralOf(values.length, "image")}`;
  return { x, low, q1, median, q3, high, images: values.length, text };
}

function inNumbers({ gradn, misclassified }: ImageDifficulty, all: readonly number[]): string {
  return [...grouped(all, (i) => misclassified[i]!)]
    .filter(([, own]) => own.length >= BOXED)
    .sort(([a], [b]) => a - b)
    .map(
      ([at, own]) =>
        `${
          boxOf(
            at,
            own.map((i) => gradn[i]!),
          ).text
        }.`,
    )
    .join(" ");
}
