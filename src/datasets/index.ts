import { cifar10, cifar100 } from "./cifar.ts";
import type { DatasetEntry } from "./entry.ts";
import { folder } from "./imageFolder.ts";
import {
  imageFruit,
  imageIdc,
  imageMeow,
  imageNet,
  imageNette,
  imageSquawk,
  imageWoof,
  imageYellow,
} from "./imageNet.ts";
import { fashionMnist, mnist } from "./mnist.ts";
import { procedural } from "./procedural.ts";
import { svhn } from "./svhn.ts";
import { tinyImageNet } from "./tinyImageNet.ts";

export {
  classCounts,
  classIndices,
  classSubset,
  countOf,
  type Dataset,
  normalized,
  type Pixels,
  type Splits,
  subset,
  wholeClassNames,
} from "./dataset.ts";
export { classSteps, type ClassStepsOptions } from "./classSteps.ts";
export type {
  DatasetEntry,
  DecodedImage,
  Distribution,
  Download,
  FileEntry,
  FolderImages,
  GeneratedEntry,
  ImageClass,
  ImageEntry,
  ImageOptions,
  ImageSelection,
  SourceFile,
} from "./entry.ts";

/** Data sets by name. */
export const datasets = {
  cifar10,
  cifar100,
  mnist,
  fashionMnist,
  svhn,
  tinyImageNet,
  imageNette,
  imageWoof,
  imageMeow,
  imageSquawk,
  imageFruit,
  imageYellow,
  imageIdc,
  imageNet,
  folder,
  procedural,
} satisfies Record<string, DatasetEntry>;
/** Name of a data set of the table. */
export type DatasetName = keyof typeof datasets;
