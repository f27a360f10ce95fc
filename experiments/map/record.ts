import type { ClassGeometry } from "../../src/evaluation/maps/index.ts";
import type { FeatureSpaceFacts } from "../../src/runs/featureSpaces.ts";
import type { MapOptions } from "./options.ts";

/** A map of features: the file map.json. */
export interface MapRecord {
  readonly name: string;
  /** Real data set, as `dataName` has it. */
  readonly dataset: string;
  /** Its options but where it lies. */
  readonly data: { readonly name: string; readonly imbalance: number };
  /** In label order. */
  readonly classNames: readonly string[];
  /** Every option resolved. */
  readonly options: MapOptions;
  /** What features were taken from. */
  readonly space: FeatureSpaceFacts & {
    /** Numbers of a feature. */
    readonly width: number;
  };
  /** What the map was made of, where features were reduced; with the share of their variance that is left. */
  readonly components: { readonly count: number; readonly share: number } | null;
  /** Of a point's `count` nearest neighbors before, the share that are among as many on the map. */
  readonly neighborsKept: { readonly count: number; readonly share: number };
  readonly subjects: readonly MapSubject[];
  readonly points: MapPoints;
  /** That computed the features. */
  readonly engine: string;
  /** Of the code. */
  readonly commit: string;
}

/** A synthetic set on a map. */
export interface MapSubject {
  /** Unique on the map. */
  readonly label: string;
  /** As `methodOf` names it. */
  readonly method: string;
  readonly experiment: string;
  readonly seed: number;
  /** As stored: of mosaics, these. */
  readonly imagesPerClass: number;
  /** Updates of its images; null where nobody knows. */
  readonly steps: number | null;
  /** How its classes lie beside the real ones, in the space of features. */
  readonly geometry: ClassGeometry;
  /** The same of as many random real images of each class, mean over `draws`; null where no real images are left for one. */
  readonly random: { readonly draws: number; readonly geometry: ClassGeometry } | null;
}

/** Points of a map as columns. */
export interface MapPoints {
  /** Position in the subjects; −1 for real images. */
  readonly subject: readonly number[];
  readonly label: readonly number[];
  /** Position of the image in its set; of mosaics, in what they stand for. */
  readonly index: readonly number[];
  readonly x: readonly number[];
  readonly y: readonly number[];
}
