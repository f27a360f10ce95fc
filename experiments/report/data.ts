import type { FeatureDiscrepancy } from "../../src/evaluation/featureDiscrepancy.ts";
import type { KernelErrors } from "../../src/evaluation/frequencyErrors.ts";
import type { RankingRecord } from "../rank/record.ts";
import type { ContinualResult } from "../continual/result.ts";
import type { MapRecord } from "../map/record.ts";
import type { Metric } from "../runFolder.ts";
import type { SelectionFile } from "../selection.ts";
import type { Spectra } from "../spectra.ts";
import type { Summary } from "./summarize.ts";

/** All that tables and charts are made of. */
export interface ReportData {
  readonly summaries: readonly Summary[];
  /** Class names in label order, by data set. */
  readonly classNames: Readonly<Record<string, readonly string[]>>;
  readonly runs: readonly RunRecord[];
  /** Ranking scores, of runs and of other sets that the folder keeps; absent where nothing was ranked. */
  readonly rankings?: readonly RankingRecord[];
  /** Class-incremental learning, a result for each config and number of steps. */
  readonly continual?: readonly ContinualResult[];
  /** Maps of features that were made of sets, in order of their names. */
  readonly maps?: readonly MapRecord[];
  /** What other methods are held against in paired comparisons: a method or an experiment; see `pairedComparisons`. */
  readonly baseline?: string | undefined;
}

/** What one run left beside its rows. */
export interface RunRecord {
  readonly experiment: string;
  /** As `methodOf` names it. */
  readonly method: string;
  readonly dataset: string;
  readonly imbalance: number;
  readonly imagesPerClass: number;
  readonly seed: number;
  /** Of each step; empty where nothing is learned. */
  readonly metrics: readonly Metric[];
  /** Networks that its images were tracked under; none where they were not. */
  readonly tracking?: TrackedBy;
  readonly spectra?: Spectra;
  readonly discrepancy?: FeatureDiscrepancy;
  readonly frequencies?: readonly KernelErrors[];
  /** Which images it started from, of runs that chose some. */
  readonly selection?: SelectionFile;
}

/** An ensemble that runs were tracked under. */
export interface TrackedBy {
  readonly models: number;
  /** Passes over the real images that they were trained for. */
  readonly epochs: number;
  /** Architecture, in words. */
  readonly network: string;
}
