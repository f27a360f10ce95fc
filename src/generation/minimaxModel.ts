import { z } from "zod";
import { preferring } from "../core/options.ts";
import type { Rng } from "../core/rng.ts";
import { disposeExcept, type Tensor, type Tree } from "../engines/index.ts";
import type { NamedArrays } from "../formats/array.ts";
import { networkPreferring } from "../networks/index.ts";
import type { PartReport, Preparation, Source } from "../objectives/objective.ts";
import { bytesOf } from "../objectives/preparedParts.ts";
import { pretrainedModel, pretraining, pretrainingOptions } from "../objectives/pretraining.ts";
import { batchesOf, type NoisedBatch } from "./batches.ts";
import {
  averagedArrays,
  averagedParameters,
  diffusionModel,
  type DiffusionOptions,
  fitting,
  unetOf,
} from "./diffusionModel.ts";
import { classMeanView, embeddingView, type FeatureView, plainView } from "./featureView.ts";
import { curveArray, fit, type FitState, fitStart, flat, packingOf, type Problem } from "./fit.ts";
import { type ClassFeatures, emptyMemories, type Memories, minimaxCriteria, remembered } from "./minimax.ts";
import { alphaBars, predictedImages } from "./schedule.ts";
import type { UNet } from "./unet.ts";

/** Options of one network trained on the real images. */
export const oneNetworkOptions = pretrainingOptions.omit({ models: true }).extend({
  network: networkPreferring({ name: "convNet" }).describe("Its architecture"),
});

export const minimaxOptions = fitting.extend({
  steps: preferring(fitting.shape.steps, 6250),
  batchSize: preferring(fitting.shape.batchSize, 64),
  learningRate: preferring(fitting.shape.learningRate, 5e-5),
  warmUp: preferring(fitting.shape.warmUp, 0),
  parameters: z
    .enum(["all", "biases"])
    .default("all")
    .describe(
      "What is fitted: all parameters; or biases, scales and shifts of norms, and classes, as DiffFit does at a rate of 0.001",
    ),
  representativeness: z.number().min(0).default(0.002).describe("λ_r, weight of nearness to all real images"),
  diversity: z.number().min(0).default(0.008).describe("λ_d, weight of unlikeness to the last predictions"),
  memory: z.int().min(1).default(64).describe("Last real and last predicted images kept of each class"),
  center: z
    .enum(["none", "classMean", "encoder"])
    .default("none")
    .describe(
      "What images are compared by: their pixels, as published on latents; pixels less the class's mean; or embeddings of a network",
    ),
  tMax: z.int().min(1).optional().describe("Only predictions at times below it are compared. Default: all"),
  encoder: oneNetworkOptions
    .optional()
    .describe("The network of `center: encoder`, trained on the real images"),
});

export type MinimaxOptions = z.infer<typeof minimaxOptions>;

const terms = ["loss", "error", "representativeness", "diversity"] as const;

/**
 * A diffusion model fine-tuned for images to train on (Minimax diffusion, Gu et al., CVPR 2024), from its averaged
 * parameters:
 *
 *     L = E ‖ε − ε̂‖²/d + λ_r representativeness + λ_d diversity
 *
 * of the clean images that ε̂ implies, not clipped, against the last 64 real and predicted ones of each class
 * (`minimaxCriteria`). It has one part, with
 *
 *     ema/NAME     averaged parameters
 *     curve        [points, 4], means over each 25 steps of L, its first summand, and the two criteria without weights
 */
export function minimaxModel(base: DiffusionOptions, options: MinimaxOptions): Preparation {
  const model = diffusionModel(base);
  const encoder = encoderOf(options);
  return {
    name: "minimax",
    options: { ...options, encoder: undefined }, // which is among the needs
    network: model.network!,
    parts: 1,
    needs: [model, ...(encoder ? [encoder] : [])],
    bytes: (source) => bytesOf(unetOf(source, base.network).parameters),
    part: (source, _index, rng, state) =>
      tuned({ source, base, options, model, encoder, rng: rng.stream(`seed/${options.seed}`) }, state),
  };
}

/** The network whose embeddings images are compared by; none unless the options say so. */
export function encoderOf({ center, encoder }: MinimaxOptions): Preparation | undefined {
  if (center !== "encoder") return undefined;
  return pretraining({ ...(encoder ?? oneNetworkOptions.parse({})), models: 1 });
}

interface Tuning {
  readonly source: Source;
  readonly base: DiffusionOptions;
  readonly options: MinimaxOptions;
  readonly model: Preparation;
  readonly encoder: Preparation | undefined;
  readonly rng: Rng;
}

/** Parameters that DiffFit moves: biases, norms, and the embedding of classes. */
const isLight = (name: string): boolean => /\.(bias|scale|shift)$|^class\./.test(name);

function* tuned(tuning: Tuning, state?: Tree): Generator<PartReport, NamedArrays> {
  const { source, base, options, model } = tuning;
  const { engine } = source;
  const net = unetOf(source, base.network);
  const { view, before } = engine.scope(() => ({
    view: viewOf(tuning),
    before: averagedParameters(source, model, net),
  }));
  const isFitted = options.parameters === "all" ? undefined : isLight;
  const packing = packingOf(net.parameters, before, isFitted);
  const problem = minimaxProblem(tuning, net, view);
  const start = engine.scope(() =>
    state === undefined
      ? fitStart(flat(packing.fitted.map((place) => before[place]!)), problem)
      : (state as unknown as FitState),
  );
  const run = fit(start, problem, { ...options, packing });
  let last: FitState | undefined;
  try {
    let next = run.next();
    for (; !next.done; next = run.next())
      yield { share: next.value.step / options.steps, state: next.value as unknown as Tree };
    last = next.value;
    return { ...averagedArrays(last, packing, net), curve: curveArray(last.curve, terms) };
  } finally {
    run.return(start); // where it is given up, it frees its own
    disposeExcept([start, last, before, view.tensors], null);
  }
}

function viewOf({ source, options, encoder }: Tuning): FeatureView {
  const { engine, real } = source;
  if (encoder) {
    const { network, trained, statistics } = pretrainedModel(source, encoder, 0);
    return embeddingView(engine, real, { network, trained, statistics });
  }
  return options.center === "classMean" ? classMeanView(engine, real) : plainView;
}

/** Error of the noise with the two criteria; its own state are the memories. */
function minimaxProblem({ source, base, options, rng }: Tuning, net: UNet, view: FeatureView): Problem {
  const bars = alphaBars(base.schedule);
  const batchAt = batchesOf(source, { unet: net, bars, options }, rng.stream("tuning"));
  return {
    name: "minimax",
    terms,
    begin: emptyMemories(net.classes),
    draw(step, own) {
      const memories = own as unknown as Memories;
      const batch = batchAt(step);
      const rows = rowsBefore(options.tMax, batch);
      let means: Tensor[] = [];
      let predicted: ClassFeatures | undefined;
      return {
        loss(parameters) {
          const noise = net.noise(parameters, batch.at, batch, batch.dropout);
          const error = noise.sub(batch.noise).square().mean();
          predicted = compared(predictedImages(batch.at, noise, batch.bars), batch, { rows, view });
          const { representativeness, diversity } = minimaxCriteria(predicted, memories);
          const loss = error
            .add(representativeness.mul(options.representativeness))
            .add(diversity.mul(options.diversity));
          means = [loss, error, representativeness, diversity].map((term) => term.detach());
          return loss;
        },
        after() {
          const { images, classes } = batch;
          const real = { features: view.of(images, classes), classes };
          const now = { real, predicted: predicted! };
          return { terms: means, own: remembered(memories, now, options.memory) as unknown as Tree };
        },
      };
    },
  };
}

/** Rows of a batch whose predictions are compared. */
function rowsBefore(tMax: number | undefined, { times }: NoisedBatch): Int32Array {
  const all = Int32Array.from(times, (_, row) => row);
  return tMax === undefined ? all : all.filter((row) => times[row]! < tMax);
}

/** Some rows of predicted images as features. */
function compared(
  images: Tensor,
  { classes }: NoisedBatch,
  { rows, view }: { readonly rows: Int32Array; readonly view: FeatureView },
): ClassFeatures {
  const own = rows.map((row) => classes[row]!);
  const some = rows.length === classes.length ? images : images.gather(images.engine.indices(rows));
  return { features: view.of(some, own), classes: own };
}
