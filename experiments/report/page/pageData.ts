import type { Machine } from "../../machine.ts";
import type { Row } from "../../results.ts";
import type { Metric } from "../../runFolder.ts";
import type { Chart } from "../charts/index.ts";
import type { ReportData } from "../data.ts";

/** All that the page shows: what tables and charts are made of, and what came with it. */
export interface PageData extends ReportData {
  readonly rows: readonly Row[];
  /** Real images of each data set first, then a set of each experiment. */
  readonly grids: readonly Grid[];
  /** Runs without a result: under way, stopped or failed. */
  readonly unfinished: readonly Unfinished[];
  /** Machines and versions of the finished runs, each once. */
  readonly machines: readonly UsedMachine[];
  /** Every experiment's config with all options resolved. */
  readonly configs: readonly ResolvedConfig[];
  /** Run folders that could not be read, and why. */
  readonly unreadable: readonly string[];
}

/** A set of images, one row for each class. */
export interface Grid {
  /** Stem of its file in figures/. */
  readonly file: string;
  readonly dataset: string;
  readonly imbalance: number;
  readonly imagesPerClass: number;
  /** As `methodOf` names it; none for real images. */
  readonly method?: string;
  readonly caption: string;
  /** Of the rows, in order; empty where unknown. */
  readonly classNames: readonly string[];
  readonly picture: Picture;
}

/** An image that a page can hold. */
export interface Picture {
  /** data:image/…;base64,… */
  readonly url: string;
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  /** Classes shown of all: the first ones. */
  readonly rows: number;
}

/** A run that has no result yet. */
export interface Unfinished {
  readonly experiment: string;
  readonly method: string;
  readonly dataset: string;
  readonly seed: number;
  /** Updates done, of all. */
  readonly step: number;
  readonly steps: number;
  readonly metrics: readonly Metric[];
  /** Whether a process is at it, as far as can be told from here. */
  readonly busy: boolean;
  /** When its last step was written, as ISO 8601; none before the first. */
  readonly updated?: string;
  /** Time left by the steps of late; none where nobody has watched it do some. */
  readonly secondsLeft?: number;
  /** Why the last try failed, where it did. */
  readonly failure?: string;
}

/** A machine, and how many runs were done on it with which version. */
export interface UsedMachine extends Machine {
  readonly runs: number;
}

export interface ResolvedConfig {
  readonly experiment: string;
  readonly dataset: string;
  readonly seeds: readonly number[];
  /** YAML. */
  readonly text: string;
}

/** A chart as SVG, and what it is about. */
export interface DrawnChart extends Pick<
  Chart,
  "id" | "section" | "detail" | "title" | "caption" | "alt" | "dataset" | "methods"
> {
  readonly svg: string;
}

/** What a folder holds that is empty, or of which nothing can be read. */
export const nothing: PageData = {
  rows: [],
  summaries: [],
  classNames: {},
  runs: [],
  grids: [],
  unfinished: [],
  machines: [],
  configs: [],
  unreadable: [],
};
