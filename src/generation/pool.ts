import { z } from "zod";
import { check } from "../core/errors.ts";
import type { Rng } from "../core/rng.ts";
import { sizeOf } from "../core/shape.ts";
import type { Dataset } from "../datasets/dataset.ts";
import { disposeExcept, type Tensor, type Tree } from "../engines/index.ts";
import type { NamedArrays } from "../formats/array.ts";
import type { PartReport, Preparation, Source } from "../objectives/objective.ts";
import { averagedParameters, type DiffusionOptions, unetOf } from "./diffusionModel.ts";
import { denoised, type Denoiser, guidedNoise, spreadOf } from "./sampler.ts";
import { alphaBars, respaced } from "./schedule.ts";

export const samplingOptions = z.strictObject({
  imagesPerClass: z
    .int()
    .min(1)
    .default(250)
    .describe("Images of each class; n times those that are to be chosen of it"),
  steps: z.int().min(1).default(50).describe("Times that an image goes through, evenly among all"),
  guidance: z
    .number()
    .min(0)
    .default(2)
    .describe(
      "g of ε_u + g (ε_c − ε_u): 1 is the class alone; more makes images more typical and less diverse",
    ),
  eta: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe("η: 0 for DDIM, which rolls no dice after its start; 1 for ancestral sampling, as in DDPM"),
  clip: z
    .boolean()
    .default(true)
    .describe("Whether predicted images are held between black and white in every step"),
  batchSize: z.int().min(1).default(50).describe("Images at once"),
  seed: z.int().min(0).default(0).describe("Of the noise that images begin from"),
});

export type SamplingOptions = z.infer<typeof samplingOptions>;

/**
 * Images sampled from a diffusion model with classifier-free guidance. Each class is a part, with
 *
 *     images   [imagesPerClass, h, w, c], pixels from −1 to 1
 *
 * Image i of a class begins from the same noise however many there are.
 *
 * @param model a part's `ema/NAME` are the parameters; it is made before, and read by `source.prepared`.
 * @param classes number of them.
 * @throws InputError where there are more steps than times.
 */
export function imagePool(
  base: DiffusionOptions,
  model: Preparation,
  { sampling, classes }: { readonly sampling: SamplingOptions; readonly classes: number },
): Preparation {
  const { times } = base.schedule;
  check(
    sampling.steps <= times,
    () => `sampling.steps: expected at most the ${times} times of the schedule, got ${sampling.steps}`,
  );
  return {
    name: "pool",
    options: { sampling, schedule: base.schedule, model: identityOf(model) },
    network: model.network!,
    parts: classes,
    bytes: ({ real }) => 4 * sampling.imagesPerClass * sizeOf(real.imageShape),
    part: (source, label, rng, state) =>
      sampled({ source, base, model, sampling, label, rng: rng.stream(`seed/${sampling.seed}`) }, state),
  };
}

/** All that a preparation depends on, as plain data. */
function identityOf({ name, options, network, needs = [] }: Preparation): Readonly<Record<string, unknown>> {
  return { name, options, network, needs: needs.map(identityOf) };
}

interface Sampling {
  readonly source: Source;
  readonly base: DiffusionOptions;
  readonly model: Preparation;
  readonly sampling: SamplingOptions;
  readonly label: number;
  readonly rng: Rng;
}

/** Images of a class after some steps: it goes on from there to the same bits. */
type Progress = {
  /** Those that are done, [k, h, w, c]; null before the first. */
  readonly done: Tensor | null;
  /** The next ones on their way, [≤ batchSize, h, w, c]. */
  readonly current: Tensor;
  /** Steps that these have made. */
  readonly step: number;
};

function* sampled(given: Sampling, state?: Tree): Generator<PartReport, NamedArrays> {
  const { source, base, model, sampling } = given;
  const { engine } = source;
  const { imagesPerClass, steps } = sampling;
  const unet = unetOf(source, base.network);
  const denoiser = engine.scope(() => ({ unet, parameters: averagedParameters(source, model, unet) }));
  const times = respaced(base.schedule.times, steps);
  const bars = alphaBars(base.schedule);
  let progress = (state as unknown as Progress | undefined) ?? {
    done: null,
    current: startOf(given, denoiser, 0),
    step: 0,
  };
  try {
    while (countOf(progress) < imagesPerClass) {
      const next = engine.scope(() =>
        engine.noGrad(() => advanced(progress, { ...given, denoiser, times, bars })),
      );
      disposeExcept(progress, next);
      progress = next;
      const share =
        (countOf(progress) + (progress.step / steps) * progress.current.shape[0]!) / imagesPerClass;
      yield { share: Math.min(1, share), state: progress as unknown as Tree };
    }
    const { shape } = progress.done!;
    return { images: { shape, data: progress.done!.values() } };
  } finally {
    disposeExcept([progress, denoiser.parameters], null);
  }
}

const countOf = ({ done }: Progress): number => done?.shape[0] ?? 0;

interface Advance extends Sampling {
  readonly denoiser: Denoiser;
  readonly times: Int32Array;
  readonly bars: Float64Array;
}

/** Another step of the images under way; after their last one they are done, and the next begin. */
function advanced(progress: Progress, given: Advance): Progress {
  const { denoiser, sampling, label, times, bars } = given;
  const { current, step } = progress;
  const at = times.length - 1 - step;
  const time = times[at]!;
  const labels = new Int32Array(current.shape[0]!).fill(label);
  const noise = guidedNoise(denoiser, current, { time, labels, guidance: sampling.guidance });
  const how = {
    bar: bars[time]!,
    next: at === 0 ? 1 : bars[times[at - 1]!]!,
    eta: sampling.eta,
    clip: sampling.clip,
  };
  const first = countOf(progress);
  const fresh = spreadOf(how) > 0 ? () => noiseFor(given, denoiser, first, `/step/${step}`) : undefined;
  const moved = denoised(current, noise, how, fresh);
  if (at > 0) return { done: progress.done, current: moved, step: step + 1 };
  const done = progress.done ? moved.engine.concat([progress.done, moved]) : moved;
  const count = done.shape[0]!;
  return {
    done,
    current: count < sampling.imagesPerClass ? startOf(given, denoiser, count) : moved,
    step: 0,
  };
}

const startOf = (given: Sampling, denoiser: Denoiser, first: number): Tensor =>
  noiseFor(given, denoiser, first, "");

/** Standard normal noise of the batch whose first image this is, each from a stream of its own. */
function noiseFor(
  { source: { engine }, sampling, rng }: Sampling,
  { unet: { imageShape } }: Denoiser,
  first: number,
  purpose: string,
): Tensor {
  const count = Math.min(sampling.batchSize, sampling.imagesPerClass - first);
  const size = sizeOf(imageShape);
  const values = new Float32Array(count * size);
  for (let i = 0; i < count; i++)
    rng.stream(`image/${first + i}${purpose}`).fillNormal(values.subarray(i * size, (i + 1) * size));
  return engine.tensor([count, ...imageShape], values);
}

/** Images of each class as one data set of floats, labels in order. @param images of each class, pixels from −1 to 1. */
export function pooled(images: readonly ArrayLike<number>[], real: Dataset): Dataset {
  const size = sizeOf(real.imageShape);
  const total = images.reduce((sum, own) => sum + own.length, 0);
  const pixels = new Float32Array(total);
  const labels = new Int32Array(total / size);
  let at = 0;
  images.forEach((own, label) => {
    for (let i = 0; i < own.length; i++, at++) {
      pixels[at] = Math.min(1, Math.max(0, (own[i]! + 1) / 2));
      labels[Math.floor(at / size)] = label;
    }
  });
  return { ...real, name: `pool of ${real.name}`, pixels, labels };
}
