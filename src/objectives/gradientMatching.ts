import { z } from "zod";
import { check } from "../core/errors.ts";
import type { Rng } from "../core/rng.ts";
import type { Augmentation } from "../datasets/augment.ts";
import type { Tensor, Tree } from "../engines/index.ts";
import { gradientDistances, type ParameterGradient } from "../losses/gradientDistance.ts";
import type { Model } from "../training/model.ts";
import { type Batch, differentiableGradient } from "../training/parameterGradient.ts";
import {
  augmented,
  classAugmentations,
  decodedRows,
  labelsOf,
  realBatches,
  storedImages,
} from "./classBatches.ts";
import { type Carried, matchingModel, modeOf, realGradient, trained } from "./gradientBatches.ts";
import { type ImageGradient, imageGradient, type Match, matchOf, penalizedMatch } from "./imageGradient.ts";
import {
  type Draw,
  type Objective,
  type Penalties,
  type RunDefaults,
  type Source,
  sumOf,
} from "./objective.ts";

const distanceNames = Object.keys(gradientDistances) as [keyof typeof gradientDistances];

export const gradientMatchingOptions = z.strictObject({
  realBatch: z
    .int()
    .min(1)
    .default(256)
    .describe("Real images of each class in a step; all of a class that has fewer"),
  distance: z
    .enum(distanceNames)
    .default("ours")
    .describe(
      "Of gradients: ours, cosines of the weights of each output channel; mse, squared; cos, one cosine of all",
    ),
  outerLoop: z
    .int()
    .min(1)
    .optional()
    .describe("Updates of the images under one network; by default the published number for imagesPerClass"),
  innerLoop: z
    .int()
    .min(0)
    .optional()
    .describe(
      "Epochs that the network trains on the synthetic images from one update to the next under it, of which outerLoop 1 has none; by default the published number",
    ),
  networkTraining: z
    .strictObject({
      learningRate: z.number().positive().default(0.01).describe("Of plain SGD"),
      batchSize: z.int().min(1).default(256).describe("Synthetic images per mini-batch"),
    })
    .prefault({})
    .describe("How it trains on them"),
  normImages: z
    .int()
    .min(1)
    .default(16)
    .describe(
      "Real images of each class by which running statistics go on before each update, of networks with batch norm; all classes at once, so lower it where memory ends",
    ),
});

/** Updates of the images under one network, and epochs it trains between them, by images per class. */
export type LoopTable = Readonly<Record<number, readonly [outerLoop: number, innerLoop: number]>>;

/** The loops of DC's code, which DSA's shares. */
export const publishedLoops: LoopTable = {
  1: [1, 1],
  10: [10, 50],
  20: [20, 25],
  30: [30, 20],
  40: [40, 15],
  50: [50, 10],
};

/** When one distance of all classes takes the place of one for each: from either on. */
export interface WarmUp {
  /** Networks under which the first updates are class by class. */
  readonly networks: number;
  /** Those updates. */
  readonly updates: number;
}

/** What a run of the family has where its config says nothing else, by DC's code: an MLP has a tenth of the other networks' rate. */
export function publishedRun(network: string): RunDefaults {
  return {
    optimizer: { name: "sgd", learningRate: network === "mlp" ? 0.01 : 0.1, momentum: 0.5 },
  };
}

/** What a method of the family is put together from. */
export interface GradientMethod extends z.infer<typeof gradientMatchingOptions> {
  /** Names it in messages. */
  readonly name: string;
  /** Names the method that is this one with augmentation, or without. */
  readonly counterpart: string;
  /** Loops where the options say none. */
  readonly loops: LoopTable;
  /** Whether images are augmented: a source that does otherwise is another method's. */
  readonly augments: boolean;
  /** Without it, distances stay class by class. */
  readonly warmUp?: WarmUp;
}

/** What a step of gradient matching draws. */
export interface GradientDraw extends Draw {
  /** Where it was drawn from. */
  readonly source: Source;
  /** The network under which gradients are matched. */
  readonly model: Model;
  /** Positions of each class's real images. */
  readonly batches: readonly Int32Array[];
  /** One for each class, which its real and synthetic images share. */
  readonly augmentations: readonly Augmentation[];
  /** Classes that share one distance. */
  readonly groups: readonly (readonly number[])[];
  /** The network's training after the update; absent where it is thrown away. */
  readonly training: { readonly epochs: number; readonly rng: Rng } | undefined;
}

/**
 * Gradient matching (DC; Zhao, Mopuri & Bilen, ICLR 2021, algorithm 1): synthetic images shall change a network in
 * training as real ones do. A fresh network; then `outerLoop` times an update of the images by
 *
 *     L(S) = Σ_c D( ∇_θ ℓ(A_c(S_c); θ), ∇_θ ℓ(A_c(R_c); θ) ),   ℓ the mean cross-entropy,
 *
 * a sum over classes with a siamese augmentation A_c of each, and between two of them `innerLoop` epochs of SGD of θ on S.
 * A step of a run is one update. After the warm-up there is one distance of all classes together (DCC), between the
 * gradients on them all, each class counting the same.
 *
 * The gradient in S takes the slope v = ∂D/∂g in closed form: exact, and no graph outlives its class. A penalty on the
 * synthetic gradient is added to every distance. Metric: `distance`, the loss without penalties.
 *
 * Networks with batch norm look at `normImages` real images of each class first, and normalize by running statistics
 * while gradients are matched; when they train, by the batch.
 */
export function gradientMatching(method: GradientMethod): Objective<GradientDraw> {
  const { name, warmUp } = method;
  return {
    name,
    begin(source) {
      checkAugmentation(method, source);
      loopsOf(method, source);
      return {};
    },
    draw(source, rng, { step, state }) {
      const { outerLoop, innerLoop } = loopsOf(method, source);
      const [networks, updates] = [Math.floor(step / outerLoop), step % outerLoop];
      const carried = updates === 0 ? undefined : (state as unknown as Carried);
      const classes = source.classes.map((_, label) => label);
      const collective = warmUp && (networks >= warmUp.networks || updates >= warmUp.updates);
      return {
        step,
        source,
        model: matchingModel(carried, source, method.normImages, rng),
        batches: realBatches(source, method.realBatch, rng),
        augmentations: classAugmentations(source, rng),
        groups: collective ? [classes] : classes.map((label) => [label]),
        training: updates === outerLoop - 1 ? undefined : { epochs: innerLoop, rng: rng.stream("training") },
      };
    },
    loss: ({ images }, draw, penalties = {}) =>
      sum(draw.groups.map((group) => lossOf({ group, images, draw, method, penalties }))),
    descent({ images }, draw, penalties = {}) {
      const { engine } = draw.source;
      return engine.scope(() => {
        const parts = draw.groups.map((group) =>
          engine.scope(() => gradientOf({ group, images, draw, method, penalties })),
        );
        const isPenalized = penalties.augmented !== undefined || penalties.clean !== undefined;
        return {
          value: sum(parts.map(({ value }) => value)),
          gradients: { images: engine.concat(parts.map(({ gradient }) => gradient)) },
          ...(isPenalized && { metrics: { distance: sum(parts.map(({ distance }) => distance)) } }),
        };
      });
    },
    after: ({ images }, draw) =>
      (draw.training ? trained(images, draw, method.networkTraining) : null) as unknown as Tree,
  };
}

/** Some classes' part of a step. */
interface Part {
  /** Classes that share a distance. */
  readonly group: readonly number[];
  /** All synthetic images. */
  readonly images: Tensor;
  readonly draw: GradientDraw;
  readonly method: GradientMethod;
  readonly penalties: Penalties;
}

/** Their loss, differentiable in the images. */
function lossOf({ group, images, draw, method, penalties }: Part): Tensor {
  const { source, model, step } = draw;
  const real = realGradient(group, draw);
  const stored = storedImages(group, images, source);
  const gradientOn = (augmentations?: readonly Augmentation[]): ParameterGradient =>
    differentiableGradient(
      model.network,
      model.parameters,
      syntheticBatch(group, stored, draw, augmentations),
    );
  const gradient = gradientOn(draw.augmentations);
  const { augmented, clean } = folded(penalties, source);
  return sum([
    gradientDistances[method.distance].value(real, gradient),
    ...(augmented ? [augmented(gradient, step)] : []),
    ...(clean ? [clean(gradientOn(), step)] : []),
  ]);
}

/** Their loss and its gradient in their images, by the closed form. */
function gradientOf({ group, images, draw, method, penalties }: Part): ImageGradient {
  const { source, model, step } = draw;
  const real = realGradient(group, draw);
  const stored = storedImages(group, images, source);
  const { augmented, clean } = folded(penalties, source);
  const through = (match: Match, augmentations?: readonly Augmentation[]): ImageGradient => {
    const batchOf = (at: Tensor): Batch => syntheticBatch(group, at, draw, augmentations);
    const found = imageGradient(model.network, model.parameters, batchOf(stored), match);
    return { ...found, gradient: pulledBack(found.gradient, (at) => batchOf(at).images, stored) };
  };
  const matched: Match = (gradient) => gradientDistances[method.distance].match(real, gradient);
  const found = through(penalizedMatch(matched, augmented, step), draw.augmentations);
  if (!clean) return found;
  const beside = through(matchOf((gradient) => clean(gradient, step)));
  return {
    value: found.value.add(beside.value),
    distance: found.distance,
    gradient: found.gradient.add(beside.gradient),
  };
}

/** Stored images of consecutive classes as the network sees them. */
function syntheticBatch(
  group: readonly number[],
  stored: Tensor,
  { source, model }: GradientDraw,
  augmentations?: readonly Augmentation[],
): Batch {
  const rows = decodedRows(group, stored, source);
  const images = augmentations ? augmented(rows, augmentations) : rows.values;
  return { images, labels: labelsOf(rows), ...modeOf(model) };
}

/** The gradient in stored images, given that in what networks see of them, which is affine in them. */
function pulledBack(gradient: Tensor, view: (stored: Tensor) => Tensor, stored: Tensor): Tensor {
  return stored.engine.gradients((at) => view(at!).mul(gradient).sum(), [stored]).gradients[0]!;
}

/** The penalties of a step that does not augment: there both kinds see the same gradient. */
function folded(penalties: Penalties, { augmentation }: Source): Penalties {
  if (augmentation.length > 0) return penalties;
  return { augmented: sumOf(penalties.augmented, penalties.clean) };
}

/**
 * The loops that the options say, or else the table.
 *
 * @throws InputError where the table has none for so many images per class.
 */
function loopsOf(
  { name, loops, outerLoop: outer, innerLoop: inner }: GradientMethod,
  { imagesPerClass }: Source,
): { readonly outerLoop: number; readonly innerLoop: number } {
  const published = loops[imagesPerClass];
  const outerLoop = outer ?? published?.[0];
  const innerLoop = inner ?? (outerLoop === 1 ? 0 : published?.[1]);
  const missing = outerLoop === undefined ? "outerLoop" : innerLoop === undefined ? "innerLoop" : undefined;
  check(
    missing === undefined,
    () =>
      `objective.${missing}: expected a number, as ${name} has published loops for ` +
      `${Object.keys(loops).join(", ")} images per class only, got none for ${imagesPerClass}`,
  );
  return { outerLoop: outerLoop!, innerLoop: innerLoop! };
}

/** @throws InputError where the source augments and the method does not, or the other way round. */
function checkAugmentation({ name, counterpart, augments }: GradientMethod, { augmentation }: Source): void {
  const [expected, got] = augments ? ["operations", "none"] : ["none", "operations"];
  check(
    augmentation.length > 0 === augments,
    () => `augmentation: expected ${expected} for ${name}, got ${got}; with ${got} it is ${counterpart}`,
  );
}

const sum = (tensors: readonly Tensor[]): Tensor => tensors.reduce((total, tensor) => total.add(tensor));
