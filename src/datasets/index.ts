import { cifar10, cifar100 } from "./cifar.ts";
import type { DatasetEntry } from "./entry.ts";
import { folder } from "./imageFolder.ts";
import { fashionMnist, mnist } from "./mnist.ts";
import { procedural } from "./procedural.ts";
import { svhn } from "./svhn.ts";

export {
  classCounts,
  classIndices,
  countOf,
  type Dataset,
  normalized,
  type Pixels,
  type Splits,
  subset,
} from "./dataset.ts";
export type {
  DatasetEntry,
  DecodedImage,
  Distribution,
  Download,
  FileEntry,
  GeneratedEntry,
  ImageEntry,
  ImageOptions,
  SourceFile,
} from "./entry.ts";

/** Data sets by name. */
export const datasets = {
  cifar10,
  cifar100,
  mnist,
  fashionMnist,
  svhn,
  folder,
  procedural,
} satisfies Record<string, DatasetEntry>;
export type DatasetName = keyof typeof datasets;
