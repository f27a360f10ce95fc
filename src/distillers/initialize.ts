import { oneOf } from "../core/errors.ts";
import type { Rng } from "../core/rng.ts";
import { sizeOf } from "../core/shape.ts";
import { randomCoreset, type Scarcity } from "../coresets/random.ts";
import { normalized } from "../datasets/dataset.ts";
import type { Tensor } from "../engines/index.ts";
import type { Source } from "../objectives/objective.ts";

type Start = (source: Source, scarcity: Scarcity, rng: Rng) => Float32Array;

/** Ways to start the synthetic images, by name; each gives normalized pixels, class-major. */
export const initializations = {
  /** Random real images of the class. Distilled for 0 steps, this is the random baseline. */
  random: (source, scarcity, rng) =>
    normalized(source.real, randomCoreset(source.classes, source.imagesPerClass, scarcity, rng)),
  /** Standard normal pixels. */
  noise: (source, _, rng) =>
    rng.fillNormal(new Float32Array(source.labels.length * sizeOf(source.real.imageShape))),
} as const satisfies Record<string, Start>;

/** Name of a way to start the synthetic images. */
export type Initialization = keyof typeof initializations;

/** The synthetic images at step 0, [classes · imagesPerClass, height, width, channels]. */
export function initialImages(
  source: Source,
  { initialization, scarcity }: { readonly initialization: Initialization; readonly scarcity: Scarcity },
  rng: Rng,
): Tensor {
  const start: Start = oneOf("initialization", initializations, initialization);
  const pixels = start(source, scarcity, rng.stream("initialization"));
  return source.engine.tensor([source.labels.length, ...source.real.imageShape], pixels);
}
