import { check } from "../../src/core/errors.ts";
import {
  type DiffusionOptions,
  diffusionModel,
  encoderOf,
  imagePool,
  minimaxModel,
  unetOf,
} from "../../src/generation/index.ts";
import type { UNet } from "../../src/generation/index.ts";
import type { Preparation, Source } from "../../src/objectives/objective.ts";
import { pretraining } from "../../src/objectives/pretraining.ts";
import { preparationKey, sourceOf } from "../../src/runs/setting.ts";
import type { Splits } from "../../src/datasets/dataset.ts";
import type { Engine } from "../../src/engines/index.ts";
import { type Experiment, resolveExperiment } from "../config.ts";
import { type Prepared, preparedFor } from "../preparation.ts";
import type { Generation } from "./options.ts";

/** What a pool is made in: preparations that pools share where their options agree. */
export interface Stages {
  readonly base: DiffusionOptions;
  readonly unet: UNet;
  readonly source: Source;
  /** The diffusion model. */
  readonly model: Prepared;
  /** The model fine-tuned; absent where it is sampled as it is. */
  readonly tuned: Prepared | undefined;
  /** Images of each class, of whichever of the two is last. */
  readonly pool: Prepared;
  readonly judge: Prepared;
}

/**
 * @param root folder of what runs share.
 * @throws InputError where the judge is the network that the images were made to please.
 */
export function stagesOf(
  generation: Generation,
  { splits, engine, root }: { readonly splits: Splits; readonly engine: Engine; readonly root: string },
): Stages {
  const { network, schedule, training, minimax, sampling, gates } = generation;
  const base = { network, schedule, training };
  const experiment = experimentOf(generation);
  const source = sourceOf(experiment, splits, engine);
  const unet = unetOf(source, network);
  const model = diffusionModel(base);
  const tuned = minimax && minimaxModel(base, minimax);
  const judge = pretraining({ ...gates.judge, models: 1 });
  const encoder = minimax && encoderOf(minimax);
  check(
    encoder === undefined || preparationKey(encoder) !== preparationKey(judge),
    () =>
      "gates.judge: expected another network than minimax.encoder, which the images are made to please; change its options",
  );
  const pool = imagePool(base, tuned ?? model, { sampling, classes: source.classes.length });
  const kept = (preparation: Preparation): Prepared => preparedFor(root, experiment, preparation);
  return {
    ...{ base, unet, source, model: kept(model), pool: kept(pool), judge: kept(judge) },
    tuned: tuned && kept(tuned),
  };
}

/** Names data and judge for what is kept. */
function experimentOf({ name, data, gates }: Generation): Experiment {
  return resolveExperiment(name, { data, network: gates.judge.network, steps: 0 });
}
