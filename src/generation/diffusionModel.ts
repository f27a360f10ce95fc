import { z } from "zod";
import { check } from "../core/errors.ts";
import type { Rng } from "../core/rng.ts";
import { disposeExcept, type Engine, type Tensor, type Tree } from "../engines/index.ts";
import type { NamedArrays } from "../formats/array.ts";
import { initialTensors, type Parameters } from "../networks/index.ts";
import type { PartReport, Preparation, Source } from "../objectives/objective.ts";
import { arrayNamed, bytesOf, namedArrays, namedTensors } from "../objectives/preparedParts.ts";
import { batchesOf } from "./batches.ts";
import {
  curveArray,
  curveOf,
  fit,
  type FitState,
  fitStart,
  flat,
  type Packing,
  packingOf,
  type Problem,
  vectorOf,
} from "./fit.ts";
import { alphaBars, type ScheduleOptions } from "./schedule.ts";
import { type UNet, type UNetChoice, unets } from "./unet.ts";

export const fitting = z.strictObject({
  steps: z.int().min(1).default(60000).describe("Updates"),
  batchSize: z.int().min(1).default(128).describe("Images per update"),
  learningRate: z.number().positive().default(2e-4).describe("Of Adam, after the warm-up"),
  warmUp: z.int().min(0).default(5000).describe("Steps over which the learning rate rises to it"),
  clip: z.number().positive().default(1).describe("Most that the norm of the whole gradient may be"),
  ema: z
    .number()
    .min(0)
    .lt(1)
    .default(0.9999)
    .describe(
      "Share that the averaged parameters keep of themselves in a step, once (1 + s)/(10 + s) exceeds it",
    ),
  labelDropout: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe("Share of the images whose class the network is not told, for guidance"),
  flip: z
    .boolean()
    .optional()
    .describe("Whether images are mirrored at random; by default unless they are digits"),
  seed: z.int().min(0).default(0).describe("Of the random start and all dice of the training"),
});

export const diffusionTrainingOptions = fitting.extend({
  continues: z
    .int()
    .min(1)
    .optional()
    .describe("Goes on from the same training of so many steps, to the same result as one from the start"),
});

export type DiffusionTrainingOptions = z.infer<typeof diffusionTrainingOptions>;

/** What a diffusion model is. */
export interface DiffusionOptions {
  readonly network: UNetChoice;
  readonly schedule: ScheduleOptions;
  readonly training: DiffusionTrainingOptions;
}

const terms = ["loss"] as const;

/**
 * A class-conditional diffusion model of the real images (DDPM, Ho et al., NeurIPS 2020): a U-Net that predicts the noise
 * in images at random times, by Adam on the mean squared error
 *
 *     L = E ‖ε − ε_θ(√ᾱ_t x + √(1 − ᾱ_t) ε, t, y)‖² / d,   t uniform, ε normal, y withheld now and then
 *
 * It has one part, with
 *
 *     ema/NAME     averaged parameters, which images are sampled with
 *     state/NAME   what a longer training goes on from
 *     curve        [points, 1], mean loss over each 25 steps
 *
 * so that pools with other sampling options share it.
 *
 * @throws InputError where `continues` is no fewer steps.
 */
export function diffusionModel({ network, schedule, training }: DiffusionOptions): Preparation {
  const { continues, ...own } = training;
  check(
    continues === undefined || continues < own.steps,
    () => `training.continues: expected fewer than the ${own.steps} steps of the training, got ${continues}`,
  );
  const before =
    continues === undefined
      ? undefined
      : diffusionModel({ network, schedule, training: { ...own, steps: continues } });
  return {
    name: "diffusion",
    options: { schedule, training: own },
    network: { ...network, name: "unet" },
    parts: 1,
    ...(before && { needs: [before] }),
    bytes: (source) => 4 * bytesOf(unetOf(source, network).parameters),
    part: (source, _index, rng, state) =>
      trained(
        { source, options: { network, schedule, training }, before, rng: rng.stream(`seed/${own.seed}`) },
        state,
      ),
  };
}

/** The network of a choice for the images of a source. */
export function unetOf({ real, classes }: Pick<Source, "real" | "classes">, network: UNetChoice): UNet {
  const { name, ...options } = network;
  return unets[name].build(options, { imageShape: real.imageShape, classes: classes.length });
}

interface Training {
  readonly source: Source;
  readonly options: DiffusionOptions;
  /** The same training of fewer steps, to go on from. */
  readonly before: Preparation | undefined;
  readonly rng: Rng;
}

function* trained(
  { source, options, before, rng }: Training,
  state?: Tree,
): Generator<PartReport, NamedArrays> {
  const { engine } = source;
  const { network, schedule, training } = options;
  const net = unetOf(source, network);
  const problem = denoising(source, { net, bars: alphaBars(schedule), training }, rng);
  const packing = packingOf(net.parameters);
  const start = engine.scope(() => {
    if (state !== undefined) return state as unknown as FitState;
    if (before) return stateIn(engine, source.prepared!(before, 0), problem);
    return fitStart(flat(initialTensors(net.parameters, engine, rng.stream("network"))), problem);
  });
  const run = fit(start, problem, { ...training, packing });
  let last: FitState | undefined;
  try {
    let next = run.next();
    for (; !next.done; next = run.next())
      yield { share: next.value.step / training.steps, state: next.value as unknown as Tree };
    last = next.value;
    const averaged = averagedArrays(last, packing, net);
    return { ...averaged, ...stateArrays(last), curve: curveArray(last.curve, terms) };
  } finally {
    run.return(start); // where it is given up, it frees its own
    disposeExcept([start, last], null);
  }
}

/** The mean squared error of predicted noise. */
function denoising(
  source: Source,
  { net, bars, training }: { net: UNet; bars: Float64Array; training: DiffusionTrainingOptions },
  rng: Rng,
): Problem {
  const batchAt = batchesOf(source, { unet: net, bars, options: training }, rng.stream("training"));
  return {
    name: "diffusion",
    terms,
    begin: null,
    draw(step, own) {
      const batch = batchAt(step);
      let loss: Tensor;
      return {
        loss(parameters) {
          const error = net.noise(parameters, batch.at, batch, batch.dropout).sub(batch.noise);
          const mean = error.square().mean();
          loss = mean.detach();
          return mean;
        },
        after: () => ({ terms: [loss], own }),
      };
    },
  };
}

/** The averaged parameters by ema/NAME. */
export function averagedArrays({ ema }: FitState, packing: Packing, { parameters }: UNet): NamedArrays {
  return ema.engine.scope(() => namedArrays("ema", parameters, packing.parameters(ema)));
}

const states = ["theta", "ema", "mean", "square", "sums"] as const;

function stateArrays({ theta, ema, adam, sums, step }: FitState): NamedArrays {
  const { mean, square } = adam as unknown as { readonly mean: Tensor; readonly square: Tensor };
  const tensors = { theta, ema, mean, square, sums };
  const arrays = states.map((name) => [
    `state/${name}`,
    { shape: tensors[name].shape, data: tensors[name].values() },
  ]);
  return {
    ...(Object.fromEntries(arrays) as NamedArrays),
    "state/step": { shape: [1], data: Int32Array.of(step) },
  };
}

/** The state that `stateArrays` wrote. */
function stateIn(engine: Engine, arrays: NamedArrays, { begin }: Problem): FitState {
  const part = { where: "diffusion", arrays };
  const [theta, ema, mean, square, sums] = states.map((name) =>
    vectorOf(engine, arrayNamed(part, `state/${name}`)),
  );
  const step = Number(arrayNamed(part, "state/step").data[0]);
  const curve = curveOf(arrayNamed(part, "curve"));
  return {
    step,
    theta: theta!,
    ema: ema!,
    adam: { step, mean: mean!, square: square! },
    sums: sums!,
    curve,
    own: begin,
  };
}

/** The averaged parameters of a trained model, as tensors of the engine's scope. */
export function averagedParameters(source: Source, preparation: Preparation, net: UNet): Parameters {
  const arrays = source.prepared!(preparation, 0);
  return namedTensors(source.engine, { where: preparation.name, arrays }, "ema", net.parameters);
}
