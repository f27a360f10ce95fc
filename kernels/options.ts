import { z } from "zod";

/** The option that all kernels with a length share. */
export const scaleOption = z.number().positive().default(1).describe("Length ℓ, in feature units; > 0");

/** Options of kernels whose length is all there is to set. */
export const scaleOptions = z.strictObject({ scale: scaleOption });

export type ScaleOptions = z.infer<typeof scaleOptions>;

/** The option of kernels that have a kink at zero, or nearly one. */
export const clipOption = z
  .number()
  .min(1)
  .optional()
  .describe(
    "C: frequencies beyond about C√d/ℓ are drawn again, so that gradients vary less; it is another kernel then; >= 1",
  );

/** Options of kernels with a length and a kink. */
export const clippedOptions = z.strictObject({ scale: scaleOption, clip: clipOption });

export type ClippedOptions = z.infer<typeof clippedOptions>;
