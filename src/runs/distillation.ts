import { check, wholeNumber } from "../core/errors.ts";
import type { Dataset } from "../datasets/dataset.ts";
import { zcaWhitening } from "../datasets/zca.ts";
import { decodeProgress, encodeProgress } from "../distillers/checkpoint.ts";
import { begin, distill, type Distillation, type Progress } from "../distillers/distill.ts";
import { coresetOf, initialImages } from "../distillers/initialize.ts";
import { disposeExcept, type Engine, type Tensor } from "../engines/index.ts";
import type { NamedArrays } from "../formats/array.ts";
import { type Objective, type PartReport, resultOf, type Source } from "../objectives/objective.ts";
import { finished } from "../training/train.ts";
import { learnedSet } from "./learned.ts";
import { checkWhole, type DistillationOptions, type ResolvedOptions, resolvedOptions } from "./options.ts";
import {
  checkPool,
  distillationRng,
  imageOptimizerOf,
  objectiveOf,
  preparationKey,
  preparationRng,
  sourceOf,
} from "./setting.ts";
import type { SyntheticSet } from "./synthetic.ts";
import { whitened } from "./zca.ts";

/** A distillation in memory: its options, and what it runs on. */
export interface InMemoryOptions extends DistillationOptions {
  /** Where it computes, from `selectEngine`. */
  readonly engine: Engine;
  /** Images that a coreset chooses from in place of the training images: of the same classes, shape and normalization. */
  readonly pool?: Dataset;
  /** Seed of all its dice. The same seed gives the same images, to the bit on a CPU. Default 0. */
  readonly seed?: number;
  /** What `checkpoint` gave in a run with the same data and options: it goes on from there. */
  readonly checkpoint?: Uint8Array;
}

/** What a step reports. */
export interface StepReport {
  /** Updates done, this one included. */
  readonly step: number;
  /** Loss before the update. */
  readonly loss: number;
  /** Norm of the gradient over all that is learned. */
  readonly gradientNorm: number;
  /** What else the method measures, by name. */
  readonly metrics: Readonly<Record<string, number>>;
}

/**
 * A distillation under way. Iterating over it does the steps that are left, one at a time; a loop that is left early can be
 * taken up again by another.
 */
export interface DistillationRun extends Iterable<StepReport> {
  /** Updates done so far. */
  readonly step: number;
  /** Does all steps that are left, and returns the result. */
  finish(): SyntheticSet;
  /** The synthetic set as it is now. */
  synthetic(): SyntheticSet;
  /** All that later steps depend on, to go on from in another process. */
  checkpoint(): Uint8Array;
  /** Frees its tensors now instead of when it is garbage. It cannot be used afterwards. */
  dispose(): void;
}

/**
 * Distils a data set in memory: the same options and seed give the same images as a config's run does.
 *
 *     const run = distillationOf(train, { engine, objective: "dm", imagesPerClass: 10, steps: 1000 });
 *     for (const { step, loss } of run) console.log(step, loss);
 *     const { images, labels } = run.synthetic();
 *
 * Nothing is computed before the first step is asked for but the images at step 0, and the whitening where it is asked for
 * by `zca`. Runs that are to share one take the images of \`whitenedDataset\`, without that option.
 *
 * @param train real images to distil.
 * @throws InputError naming every option that is wrong; while it runs, `Divergence` where a loss is not finite.
 */
export function distillationOf(train: Dataset, options: InMemoryOptions): DistillationRun {
  const { engine, pool, seed = 0, checkpoint, ...given } = options;
  wholeNumber("distillationOf.seed", seed);
  const resolved = resolvedOptions("distillationOf", given);
  const unwhitened = sourceOf(resolved, { train }, engine);
  const whole = resolved.zca ? whitenedByItself(unwhitened) : unwhitened;
  if (whole.real.whitening) checkWhole("distillationOf", resolved);
  if (pool) checkPool("distillationOf.pool", pool, whole);
  const objective = objectiveOf(resolved);
  const source = withPreparations(pool ? { ...whole, pool } : whole, {
    preparations: [
      ...(coresetOf(resolved.initialization)?.preparations ?? []),
      ...(objective?.preparations ?? []),
    ],
  });
  const distillation = objective && distillationWith(objective, { options: resolved, source, seed });
  let progress = checkpoint
    ? resumedProgress(checkpoint, source)
    : startOf(distillation, initialImages(source, resolved, distillationRng(seed)));

  const run: DistillationRun = {
    get step() {
      return progress.step;
    },
    *[Symbol.iterator]() {
      while (distillation && progress.step < distillation.steps) {
        // A loop of its own for each step, so that none is left behind where the caller's is left early.
        const { value } = distill(distillation, progress).next();
        const { loss, gradientNorm, metrics } = value!;
        progress = value!.progress;
        yield { step: progress.step, loss, gradientNorm, metrics };
      }
    },
    finish() {
      const steps = run[Symbol.iterator]();
      while (!steps.next().done);
      return run.synthetic();
    },
    synthetic: () => ({
      ...learnedSet(distillation ? resultOf(distillation.objective, progress) : progress.learned, source),
      classNames: source.real.classNames,
      network: source.network,
    }),
    checkpoint: () => encodeProgress(progress, { engine: engine.name }),
    dispose() {
      disposeExcept(progress, null);
    },
  };
  return run;
}

/** By what is fitted on its own training images. */
function whitenedByItself(source: Source): Source {
  return whitened(source, finished(zcaWhitening(source.real, source.engine)));
}

interface Setting {
  readonly options: ResolvedOptions;
  readonly source: Source;
  readonly seed: number;
}

function distillationWith(objective: Objective, { options, source, seed }: Setting): Distillation {
  const optimizer = imageOptimizerOf(options, source);
  return { source, objective, optimizer, steps: options.steps, rng: distillationRng(seed) };
}

/**
 * The source of what prepares something, a method or another: each part is made when it is first asked for, by a run or by a
 * part that needs it, and kept.
 *
 * @param finish runs the work of a part of a preparation of this name to its end.
 */
export function withPreparations(
  source: Source,
  { preparations }: Pick<Objective, "preparations">,
  finish: (work: Generator<PartReport, NamedArrays>, name: string) => NamedArrays = finished,
): Source {
  if (preparations === undefined || preparations.length === 0) return source;
  const parts = new Map<string, NamedArrays>();
  const ready: Source = {
    ...source,
    prepared(preparation, part) {
      const key = `${preparationKey(preparation)} ${part}`;
      const made =
        parts.get(key) ??
        finish(preparation.part(ready, part, preparationRng(preparation, part)), preparation.name);
      parts.set(key, made);
      return made;
    },
  };
  return ready;
}

function startOf(distillation: Distillation | undefined, images: Tensor): Progress {
  if (distillation) return begin(distillation, images);
  return { step: 0, learned: { images }, optimizers: {}, state: null, loss: null };
}

function resumedProgress(checkpoint: Uint8Array, { engine, labels, real }: Source): Progress {
  const { progress, metadata } = decodeProgress(checkpoint, engine);
  const expected = [labels.length, ...real.imageShape];
  const { shape } = progress.learned.images;
  check(
    metadata.engine === engine.name && String(shape) === String(expected),
    () =>
      `distillationOf.checkpoint: expected images of shape ${expected.join("×")} from ${engine.name}, ` +
      `got ${shape.join("×")} from ${metadata.engine ?? "an engine without a name"}`,
  );
  return progress;
}
