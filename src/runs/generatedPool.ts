import { parsed } from "../core/parse.ts";
import type { Dataset } from "../datasets/dataset.ts";
import type { Engine } from "../engines/index.ts";
import {
  checkGeneration,
  diffusionModel,
  generationOptions,
  type GenerationOptions,
  imagePool,
  minimaxModel,
  pooled,
} from "../generation/index.ts";
import { withPreparations } from "./distillation.ts";
import { sourceOf } from "./setting.ts";

/** How a pool is made in memory. */
export type GeneratedPoolOptions = GenerationOptions & {
  /** Computes everything. */
  readonly engine: Engine;
  /** Is told of the work's stages, "diffusion", "minimax" and "pool", what share of one, or of one class, is done. */
  readonly onProgress?: (stage: string, share: number) => void;
};

/**
 * An image pool in memory: a diffusion model is trained on the real images, fine-tuned where `minimax` asks for it, and
 * sampled. The same options give the same images as `distillery generate` does; nothing judges them.
 *
 *     const pool = generatedPool(train, { engine, network: "xs", training: { steps: 30000 }, minimax: {} });
 *     const run = distillationOf(train, { engine, pool, steps: 0, initialization: "difficultyGuided" });
 *
 * @param train real images.
 * @returns a data set of the same classes, pixels from 0 to 1.
 * @throws InputError naming every option that is wrong.
 */
export function generatedPool(train: Dataset, given: GeneratedPoolOptions): Dataset {
  const { engine, onProgress, ...options } = given;
  const resolved = parsed("generatedPool", generationOptions, options);
  checkGeneration("generatedPool", resolved);
  const { sampling, minimax, ...base } = resolved;
  // No method, and so no network of one: any will do.
  const network = { name: "mlp", depth: 1, width: 1 } as const;
  const setting = { imagesPerClass: 1, partition: undefined, network, augmentation: "none" };
  const source = sourceOf(setting, { train }, engine);
  const model = minimax ? minimaxModel(base, minimax) : diffusionModel(base);
  const pool = imagePool(base, model, { sampling, classes: source.classes.length });
  const ready = withPreparations(source, { preparations: [model, pool] }, (work, stage) => {
    for (;;) {
      const next = work.next();
      if (next.done) return next.value;
      onProgress?.(stage, next.value.share);
    }
  });
  const images = train.classNames.map((_, label) => ready.prepared!(pool, label)["images"]!.data);
  return pooled(images as ArrayLike<number>[], train);
}
