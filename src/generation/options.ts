import { z } from "zod";
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

/** Options of a pool; what is left out has the default of a config. */
export type GenerationOptions = z.input<typeof generationOptions>;
