import { z } from "zod";

/** The option that all kernels with a length share. */
export const scaleOption = z.number().positive().default(1).describe("Length ℓ, in feature units; > 0");

/** Options of kernels whose length is all there is to set. */
export const scaleOptions = z.strictObject({ scale: scaleOption });

export type ScaleOptions = z.infer<typeof scaleOptions>;
