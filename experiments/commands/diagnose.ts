import { existsSync } from "node:fs";
import { InputError } from "../../src/core/errors.ts";
import { classIndices, type Dataset, type Splits } from "../../src/datasets/dataset.ts";
import type { Engine } from "../../src/engines/index.ts";
import type { FeatureComparison } from "../../src/evaluation/classFeatures.ts";
import { type FeatureDiscrepancy, featureDiscrepancy } from "../../src/evaluation/featureDiscrepancy.ts";
import { frequencyErrors, type KernelErrors } from "../../src/evaluation/frequencyErrors.ts";
import { networkOf } from "../../src/networks/index.ts";
import { fromPixels, toPixels } from "../../src/runs/space.ts";
import { decodedSet } from "../../src/runs/storedSet.ts";
import { loadData } from "../data/load.ts";
import { writeWhole } from "../files.ts";
import { checkFits, type Subject, subjectOf } from "../judge/subject.ts";
import { working } from "../progress.ts";
import { fileOf, isDone, listRuns, readRun, type RunFolder } from "../runFolder.ts";
import { highFrequencyRatios, spectraOf } from "../spectra.ts";

/** How the images of a synthetic set differ from real ones. */
export interface Diagnosis {
  readonly discrepancy: FeatureDiscrepancy;
  /** High-frequency energy over that of real images, overall and of each class. */
  readonly highFrequency: ReturnType<typeof highFrequencyRatios>;
}

/**
 * Compares a synthetic set with real images: features under random networks of its architecture, and power spectra. Of
 * mosaics the images count that they stand for. Where the set has a folder, its discrepancy.json is written.
 *
 * @throws InputError where the set does not fit its real data.
 */
export async function diagnose(subject: Subject, engine: Engine): Promise<Diagnosis> {
  const comparison = await comparisonOf(subject, engine);
  const discrepancy = await compared(subject, comparison);
  const { synthetic, splits } = comparison;
  const { train } = splits;
  const images = fromPixels(synthetic.pixels as Float32Array, train, train.imageShape);
  const source = { real: train, classes: classIndices(train), labels: synthetic.labels };
  return { discrepancy, highFrequency: highFrequencyRatios(spectraOf(source, images)) };
}

/**
 * Writes the discrepancy.json of a run that is done. That it cannot be made is said and does not undo the run.
 *
 * @param force also where there is one.
 */
export async function diagnoseRun(run: RunFolder, engine: Engine, force = true): Promise<void> {
  if (!force && existsSync(fileOf(run, "discrepancy"))) return;
  try {
    const subject = subjectOf(run);
    await compared(subject, await comparisonOf(subject, engine));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    process.stderr.write(`${run.path}: no discrepancy.json: ${error.message}\n`);
  }
}

/** Kernels whose estimates are judged: of light, of heavier and of the heaviest spectrum. */
const KERNELS = ["gaussian", "matern32", "laplacian"] as const;

/**
 * Errors of spectral estimates of the squared MMD between a synthetic set and held-out real images, by the number of
 * frequencies. Where the set has a folder, its frequencies.json is written.
 *
 * @throws InputError where the set does not fit its real data.
 */
export async function diagnoseFrequencies(subject: Subject, engine: Engine): Promise<KernelErrors[]> {
  const { label, folder } = subject;
  const comparison = await comparisonOf(subject, engine);
  const kernels = KERNELS.map((name) => ({ name, scale: 1 }));
  const errors = await working(`${label}: frequencies`, () => frequencyErrors({ ...comparison, kernels }));
  if (folder) writeWhole(fileOf(folder, "frequencies"), `${JSON.stringify(errors)}\n`);
  return errors;
}

async function compared(
  { label, folder }: Subject,
  comparison: FeatureComparison,
): Promise<FeatureDiscrepancy> {
  const discrepancy = await working(`${label}: features beside real images`, () =>
    featureDiscrepancy(comparison),
  );
  if (folder) writeWhole(fileOf(folder, "discrepancy"), `${JSON.stringify(discrepancy)}\n`);
  return discrepancy;
}

/** Finished runs of a results folder, with overrides such as data.root=DIR. */
export function finishedRuns(results: string, overrides: readonly string[]): RunFolder[] {
  return listRuns(results)
    .map((path) => readRun(path, overrides))
    .filter(isDone);
}

/** The synthetic images as pixels beside the real data that judge them. */
export async function comparisonOf(subject: Subject, engine: Engine): Promise<FeatureComparison> {
  const { splits } = await loadData(subject.experiment.data);
  checkFits(subject, splits);
  const { imageShape, classNames } = splits.train;
  const network = networkOf(subject.experiment.network, { imageShape, classes: classNames.length });
  return { engine, network, synthetic: pixelsOfSubject(subject, splits), splits };
}

/** A synthetic set as pixels, in the space of the real data. */
export function pixelsOfSubject({ set, label }: Subject, { test }: Splits): Dataset {
  const decoded = decodedSet(set);
  const pixels = toPixels(decoded.images, decoded, decoded.imageShape);
  return { ...test, name: label, pixels, labels: decoded.labels };
}
