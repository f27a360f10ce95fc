import { z } from "zod";
import type { Tensor } from "../engines/index.ts";

/** The option of methods that can compare embeddings by their directions alone. */
export const featuresOption = z
  .enum(["raw", "unit"])
  .default("raw")
  .describe("Embeddings as they are, or each of length 1, as NCFM takes them with a fixed bandwidth of 1");

/** Keeps an embedding that is zero everywhere at zero. */
const SMALLEST_SQUARED_LENGTH = 1e-24;

/** Embeddings as the option has them, [n, d]. */
export function featuresOf(values: Tensor, features: z.infer<typeof featuresOption>): Tensor {
  if (features === "raw") return values;
  const squaredLength = values.square().sum(1, true).maximum(SMALLEST_SQUARED_LENGTH);
  return values.div(squaredLength.sqrt());
}
