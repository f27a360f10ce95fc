import type { ClassRecord } from "../../../src/coresets/guided/guidedChoice.ts";
import type { SelectionFile } from "../../selection.ts";
import type { RunRecord } from "../data.ts";
import { slug } from "./chart.ts";
import { type Axis, quantity } from "./frame.ts";

/** A run whose images were chosen by their difficulty. */
export type GuidedRun = RunRecord & { readonly selection: GuidedSelection };
type GuidedSelection = SelectionFile & Required<Pick<SelectionFile, "classes" | "scorer" | "search">>;

/** All seeds of an experiment. */
export interface GuidedExperiment {
  readonly label: string;
  /** Position of its method in the chart's methods. */
  readonly method: number;
  readonly color: string;
  readonly runs: readonly GuidedRun[];
}

/** What the charts of one setting share. */
export interface SamplingSetting {
  readonly dataset: string;
  readonly methods: readonly string[];
  /** Part of a file's name. */
  readonly name: string;
  /** As a sentence. */
  readonly words: string;
  /** In label order. */
  readonly classNames: readonly string[];
}

/** Bars of a histogram: share of the images in each of ten bins. */
export interface Bin {
  readonly from: number;
  readonly to: number;
  readonly share: number;
  readonly text: string;
}

type Images = "real" | "pool" | "chosen";
type Scores = "raw" | "transformed";

/** Shares of the bins over all images of some classes of some runs. */
export function binsOf(classes: readonly ClassRecord[], images: Images, scores: Scores): Bin[] {
  const counts = classes.reduce(
    (sums, one) => sums.map((sum, bin) => sum + one[images][scores][bin]!),
    new Array<number>(10).fill(0),
  );
  const all = counts.reduce((a, b) => a + b, 0);
  return counts.map((count, bin) => {
    const [from, to, share] = [bin / 10, (bin + 1) / 10, count / all];
    return { from, to, share, text: `${from} to ${to}: ${(100 * share).toFixed(1)}%` };
  });
}

/** The axis of shares, up to the highest of all. */
export function shareAxis(shares: readonly number[]): Axis & { readonly domain: readonly [number, number] } {
  const most = Math.max(...shares);
  return {
    title: "Share",
    grid: true,
    format: ".0%",
    domain: [0, most],
    values: [0, most > 0.5 ? 0.5 : 0.2],
  };
}

export const difficultyAxis = {
  title: "Difficulty, 1 − softmax of the own class",
  domain: [0, 1],
  values: [0, 0.5, 1],
} as const satisfies Axis & { domain: readonly [number, number] };

/** A layer of bars. */
export function bars(
  name: string,
  { bins, color }: { readonly bins: readonly Bin[]; readonly color: string },
  x: Axis,
  y: Axis,
): object {
  return {
    name,
    data: { values: bins },
    mark: { type: "bar", color, opacity: 0.8, aria: false },
    encoding: {
      x: quantity("from", x),
      x2: { field: "to" },
      y: quantity("share", y),
      y2: { datum: 0 },
    },
  };
}

/** Part of a file's name that tells an experiment from others. */
export function experimentSlug({ runs }: GuidedExperiment): string {
  return slug(runs[0]!.experiment);
}
