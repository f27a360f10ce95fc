import { check } from "../src/core/errors.ts";
import { sizeOf } from "../src/core/shape.ts";
import { countOf, type Dataset, type Splits } from "../src/datasets/dataset.ts";
import type { Engine } from "../src/engines/index.ts";
import type { Source } from "../src/objectives/objective.ts";
import { sourceOf } from "../src/runs/setting.ts";
import { whitened, whiteningIn, zcaPreparation } from "../src/runs/zca.ts";
import type { Experiment } from "./config.ts";
import { sizeText } from "./disk.ts";
import { hasAllParts, prepare, type Prepared, preparedFor } from "./preparation.ts";

/** What an experiment's source is put together from. */
export interface SourceOptions {
  readonly splits: Splits;
  readonly engine: Engine;
  /** Folder of what runs share. */
  readonly prepared: string;
  /** Bytes of memory that may still be taken. Default: what the operating system says. */
  readonly available?: () => number;
}

/**
 * What all steps of an experiment's runs share. Where its images are whitened, the whitening is made first, unless it is
 * there, and the real images are brought to its space once for all runs of this process.
 *
 * @throws InputError where whitened images would not fit in memory, before anything is computed.
 */
export async function sourceFor(experiment: Experiment, options: SourceOptions): Promise<Source> {
  const { splits, engine } = options;
  const source = sourceOf(experiment, splits, engine);
  if (!experiment.zca) return source;
  const { path, preparation } = whiteningFor(experiment, options);
  if (latest?.train !== splits.train || latest.path !== path) {
    const fitted = await fitWhitening(experiment, options);
    const { real } = whitened(source, whiteningIn(fitted.prepared!(preparation, 0)));
    latest = { train: splits.train, path, real };
  }
  return { ...source, real: latest.real };
}

/** The images that were whitened last. */
let latest: { readonly train: Dataset; readonly path: string; readonly real: Dataset } | undefined;

/**
 * Makes the whitening of an experiment, if it has one that is not there.
 *
 * @returns what it was fitted on, with the whitening prepared.
 * @throws InputError as `sourceFor` does.
 */
export async function fitWhitening(experiment: Experiment, options: SourceOptions): Promise<Source> {
  const { splits, engine, available = () => process.availableMemory() } = options;
  const source = sourceOf(experiment, splits, engine);
  if (!experiment.zca) return source;
  const fit = whiteningFor(experiment, options);
  checkMemory(splits.train, hasAllParts(fit), available());
  return await prepare([fit], source);
}

function whiteningFor(experiment: Experiment, { prepared }: SourceOptions): Prepared {
  return preparedFor(prepared, experiment, zcaPreparation());
}

/** Matrices [d, d] of float32 that are in memory at once while a whitening is fitted, and while images are whitened. */
const FITTING = 9;
const WHITENING = 3;

function checkMemory(train: Dataset, isFitted: boolean, there: number): void {
  const [n, d] = [countOf(train), sizeOf(train.imageShape)];
  const matrix = 4 * d * d;
  const needed = Math.max(isFitted ? 0 : FITTING * matrix, 4 * n * d + WHITENING * matrix);
  check(
    needed <= there,
    () =>
      `zca: expected ${sizeText(needed)} of free memory to whiten ${n} images of ${train.imageShape.join("×")}, got ` +
      `${sizeText(there)}; take fewer images by data.classSize, or leave zca out`,
  );
}
