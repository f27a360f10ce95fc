import { seeded, type Rng } from "../src/core/rng.ts";
import { parseStrategy } from "../src/datasets/augment.ts";
import { classIndices, type Splits } from "../src/datasets/dataset.ts";
import type { Engine } from "../src/engines/index.ts";
import { augmentationFor } from "../src/evaluation/protocols.ts";
import { networkOf } from "../src/networks/index.ts";
import { methods } from "../src/objectives/index.ts";
import type { Objective, Source } from "../src/objectives/objective.ts";
import { plugins } from "../src/plugins/index.ts";
import type { Experiment } from "./config.ts";

/** Siamese augmentation of the published methods; without flip for digits. */
const FULL_AUGMENTATION = "color_crop_cutout_flip_scale_rotate";

/** What all steps of a run share, put together from its config. */
export function sourceOf(experiment: Experiment, splits: Splits, engine: Engine): Source {
  const { train: real } = splits;
  const { imagesPerClass } = experiment;
  const classes = classIndices(real);
  return {
    engine,
    real,
    classes,
    network: networkOf(experiment.network, { imageShape: real.imageShape, classes: classes.length }),
    labels: Int32Array.from({ length: classes.length * imagesPerClass }, (_, i) =>
      Math.floor(i / imagesPerClass),
    ),
    imagesPerClass,
    augmentation:
      experiment.augmentation === undefined
        ? augmentationFor(parseStrategy(FULL_AUGMENTATION), real.classNames)
        : parseStrategy(experiment.augmentation),
  };
}

/** The config's method inside its plugins; none where the initial images are the result. */
export function objectiveOf(experiment: Experiment): Objective | undefined {
  const { objective: chosen } = experiment;
  if (chosen === undefined) return undefined;
  const { name, ...options } = chosen;
  const bare: Objective = methods[name].build(options as never);
  return experiment.plugins.reduce<Objective>(
    (inner, { name: plugin, ...given }) => plugins[plugin].build(given as never)(inner),
    bare,
  );
}

/** Name of what made the images, for tables: the method, or how they were initialized where none ran. */
export function methodName(experiment: Experiment): string {
  return experiment.objective?.name ?? experiment.initialization;
}

/** Root of all dice of distilling at a seed. */
export function distillationRng(seed: number): Rng {
  return seeded(seed).stream("distillation");
}
