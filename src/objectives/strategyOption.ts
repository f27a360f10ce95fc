import { z } from "zod";
import { parseStrategy } from "../datasets/augment.ts";

/** Augmentation of mini-batches, as text. */
export const strategyOption = z
  .string()
  .refine(isStrategy, "expected operations joined by _ or +, as in color_crop_flip, or none");

function isStrategy(text: string): boolean {
  try {
    parseStrategy(text);
    return true;
  } catch {
    return false;
  }
}
