import { z } from "zod";
import { check } from "../core/errors.ts";
import { choice } from "../core/options.ts";
import { diffusionTrainingOptions } from "./diffusionModel.ts";
import { minimaxOptions } from "./minimaxModel.ts";
import { samplingOptions } from "./pool.ts";
import { scheduleOptions } from "./schedule.ts";
import { unets } from "./unet.ts";

/** What decides the images of a pool, beside the real ones. */
export const generationOptions = z.strictObject({
  network: choice(unets, { name: "s" }).describe("U-Net that predicts noise, by its size"),
  schedule: scheduleOptions.prefault({}).describe("Noise by time"),
  training: diffusionTrainingOptions.prefault({}).describe("Of the diffusion model"),
  minimax: minimaxOptions
    .optional()
    .describe("Fine-tuning for representative and diverse images; none where it is left out"),
  sampling: samplingOptions.prefault({}).describe("Of the pool"),
});

/**
 * Checks that options of a pool fit each other.
 *
 * @throws InputError for more sampling steps than times, guidance by what no training has shown the network, and options of the
 *   fine-tuning that would have no effect.
 */
export function checkGeneration(where: string, options: z.output<typeof generationOptions>): void {
  const { sampling, schedule, training, minimax } = options;
  const { times } = schedule;
  check(
    sampling.steps <= times,
    () =>
      `${where}: sampling.steps: expected at most the ${times} times of the schedule, got ${sampling.steps}`,
  );
  for (const [name, { labelDropout }] of Object.entries({ training, ...(minimax && { minimax }) })) {
    check(
      labelDropout < 1 && (labelDropout > 0 || sampling.guidance === 1 || name === "minimax"),
      () =>
        `${where}: ${name}.labelDropout: expected more than 0 and less than 1 for a sampling.guidance of ${sampling.guidance}, as ` +
        `it takes predictions with the class and without, got ${labelDropout}; a guidance of 1 is the class alone`,
    );
  }
  const { encoder, center, tMax } = minimax ?? {};
  check(
    encoder === undefined || center === "encoder",
    () => `${where}: minimax.encoder: expected none beside center ${center}, where it has no effect, got one`,
  );
  check(
    tMax === undefined || tMax <= times,
    () => `${where}: minimax.tMax: expected at most the ${times} times of the schedule, got ${tMax}`,
  );
}

/** Options of a pool; what is left out has the default of a config. */
export type GenerationOptions = z.input<typeof generationOptions>;
