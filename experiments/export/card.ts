import { z } from "zod";
import { cellOrders } from "../../src/datasets/partition.ts";

const accuracySchema = z.object({
  protocol: z.string(),
  protocolVersion: z.int(),
  /** Architecture of the networks trained on the set. */
  network: z.string(),
  /** Mean over the networks, a fraction. */
  accuracy: z.number(),
  /** Standard deviation over them (n − 1); none of one network. */
  std: z.number().nullable(),
  networks: z.int(),
  /** Of each of them. */
  accuracies: z.array(z.number()),
});

const pngAccuraciesSchema = z.object({ float32: accuracySchema, png: accuracySchema });

const pngSchema = z.object({
  note: z.string(),
  /** Share of values outside [0, 1], which are cut. */
  outside: z.number(),
  /** Of the 8-bit round trip, where black is 0 and white 1. */
  maxError: z.number(),
  rmsError: z.number(),
  /** By --check-png: networks trained on the float32 images and on the 8-bit ones. */
  accuracies: pngAccuraciesSchema.optional(),
});

/**
 * What card.json says of a set. Only what is needed to train and test on it must be there, so that cards of other programs
 * can be read; `export` writes all of it.
 */
export const cardSchema = z.looseObject({
  format: z.string().optional(),
  name: z.string().optional(),
  method: z.string().optional(),
  plugins: z.array(z.string()).optional(),
  version: z.string().optional(),
  commit: z.string().optional(),
  engine: z.string().optional(),
  license: z.string().optional(),
  seed: z.int().optional(),
  distillSeconds: z.number().optional(),
  peakMegabytes: z.number().optional(),
  config: z.record(z.string(), z.unknown()).optional(),
  dataset: z
    .looseObject({
      name: z.string(),
      trainingImages: z.int().optional(),
      trainingSha256: z.string().optional(),
      indicesSha256: z.string().optional(),
    })
    .optional(),
  classNames: z.array(z.string()).min(1),
  space: z.enum(["normalized", "whitened"]).optional(),
  mean: z.array(z.number()),
  std: z.array(z.number().positive()),
  /** Of sets whose stored images are mosaics. */
  partition: z
    .looseObject({ factor: z.int().min(2), order: z.enum(cellOrders), decoding: z.string().optional() })
    .optional(),
  arrays: z.record(z.string(), z.string()).optional(),
  network: z.object({ name: z.string(), flattenOrder: z.string().optional() }).optional(),
  evaluation: z
    .looseObject({
      protocol: z.string(),
      protocolVersion: z.int(),
      network: z.record(z.string(), z.unknown()),
      networks: z.int(),
      learningRate: z.number().optional(),
    })
    .optional(),
  expected: z.array(accuracySchema).optional(),
  png: pngSchema.optional(),
});

export type Card = z.infer<typeof cardSchema>;
export type ExpectedAccuracy = z.infer<typeof accuracySchema>;
export type PngLoss = Pick<z.infer<typeof pngSchema>, "outside" | "maxError" | "rmsError">;
export type PngAccuracies = z.infer<typeof pngAccuraciesSchema>;
