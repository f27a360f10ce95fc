import { z } from "zod";
import type { Rng } from "../core/rng.ts";
import type { Augmentation } from "../datasets/augment.ts";
import type { Tensor, Tree } from "../engines/index.ts";
import { crossEntropy } from "../losses/crossEntropy.ts";
import { imagesAtOnce, type Parameters } from "../networks/network.ts";
import { choice } from "../core/options.ts";
import { parameterGradient } from "../training/parameterGradient.ts";
import {
  type MatchingNetworks,
  type NetworkSource,
  networkSourceOf,
  networkSources,
} from "./networkSources/index.ts";
import type { Draw, GradientPenalty, Learned, Objective, Penalties, Source } from "./objective.ts";
import {
  augmented,
  classAugmentations,
  decodedRows,
  labelsOf,
  realBatches,
  seenPerClass,
  storedImages,
} from "./classBatches.ts";
import { comparisonsWith } from "./realFeatures.ts";
import type { ClassRows, Comparison, SyntheticClasses, Term } from "./term.ts";
import { termsOf, termsOptions } from "./terms/index.ts";

export const distributionOptions = z.strictObject({
  realBatch: z
    .int()
    .min(1)
    .default(256)
    .describe("Real images of each class in a step; all of a class that has fewer"),
  precision: z
    .enum(["full", "bf16"])
    .default("full")
    .describe(
      "Of convolutions of real images: the engine's, or products of bfloat16, faster on some processors and GPUs; " +
        "docs/performance.md has its effect on the loss",
    ),
  networks: choice(networkSources, { name: "fresh" }).describe("Where each step's network comes from"),
  terms: termsOptions.prefault({}).describe("Added to the method's own"),
});

export interface DistributionDraw extends Draw {
  /** Where it was drawn from. */
  readonly source: Source;
  /** The step's networks. */
  readonly networks: MatchingNetworks;
  /** One for each class, shared by its real and synthetic images. */
  readonly augmentations: readonly Augmentation[];
  /** What each term compares the synthetic embeddings with. */
  readonly comparisons: readonly { readonly weight: number; readonly comparison: Comparison }[];
  /** What the step found of the networks' and the terms' state. */
  readonly state: State;
}

/** State of the source of networks and of each term; null of those that have none. */
interface State {
  readonly networks: Tree;
  readonly terms: readonly Tree[];
}

/**
 * A method that compares embeddings of real and synthetic images of each class under networks of some source (DM's
 * iteration, Zhao & Bilen 2023, algorithm 1, where each step's network is a fresh random one), by a sum of terms:
 *
 *     L(S) = Σ_terms weight · Σ_c term( f(A_c(R_c)), f(A_c(S_c)) )
 *
 * with a siamese augmentation A_c of each class. Images that are mosaics are decoded first. To the method's own terms come
 * those of the option `terms`. Classes go through the network together, as many images at once as it takes, so that memory
 * does not grow with their number; that changes nothing where samples do not interact. Under batch norm they do: then all
 * real images form one batch, and all synthetic ones another, as DM's own code has it.
 *
 * A penalty on the synthetic gradient sees that of the mean cross-entropy on the synthetic images under the step's network.
 */
export function distributionMatching(
  name: string,
  own: readonly Term[],
  options: z.infer<typeof distributionOptions>,
): Objective<DistributionDraw> {
  const networkSource = networkSourceOf(options.networks);
  const parts = { ...options, networkSource, terms: [...own, ...termsOf(options.terms)] };
  const stateful = [networkSource, ...parts.terms];
  const preparations = stateful.flatMap((part) => part.preparations ?? []);
  return {
    name,
    ...(preparations.length > 0 && { preparations }),
    ...(stateful.some((part) => "begin" in part) && {
      begin: (source, rng) => ({ state: begun(parts, source, rng) as unknown as Tree }),
      after: (learned, draw) => stateAfter(learned, draw) as unknown as Tree,
    }),
    draw: (source, rng, at) => drawn(parts, source, rng, at),
    loss: (learned, draw, penalties) => lossOf(allClasses(draw.source), learned.images, draw, penalties),
    /** The loss is a sum over classes: some at a time, and the gradients of their images put together. */
    descent(learned, draw, penalties = {}) {
      const { engine } = draw.source;
      return engine.scope(() => {
        const groups = classGroups(draw.source);
        const { slopes, rests } =
          groups.length > 1 ? tangents(penalties, learned, draw) : { slopes: penalties, rests: [] };
        const parts = groups.map((classes) =>
          engine.scope(() =>
            engine.gradients(
              (images) => lossOf(classes, images!, draw, slopes),
              [storedImages(classes, learned.images, draw.source)],
            ),
          ),
        );
        const values = [...parts.map(({ value }) => value), ...rests];
        const images = engine.concat(parts.map(({ gradients }) => gradients[0]!));
        return { value: sum(values), gradients: { images } };
      });
    },
  };
}

/** What a method is put together from. */
interface Parts extends Pick<z.infer<typeof distributionOptions>, "realBatch" | "precision"> {
  readonly networkSource: NetworkSource;
  /** The method's own and those added to it. */
  readonly terms: readonly Term[];
}

function begun({ networkSource, terms }: Parts, source: Source, rng: Rng): State {
  return {
    networks: networkSource.begin?.(source, rng.stream("networks")) ?? null,
    terms: terms.map((term, i) => term.begin?.(source, rng.stream(`term/${i}`)) ?? null),
  };
}

function drawn(
  { networkSource, terms, realBatch, precision }: Parts,
  source: Source,
  rng: Rng,
  at: { readonly step: number; readonly state: Tree },
): DistributionDraw {
  const { engine } = source;
  const stateless: State = { networks: null, terms: terms.map(() => null) };
  const state = (at.state ?? stateless) as unknown as State;
  const networks = networkSource.draw(source, rng, { step: at.step, state: state.networks });
  const batches = realBatches(source, realBatch, rng);
  const augmentations = classAugmentations(source, rng);
  const found = engine.noGrad(
    () => comparisonsWith({ source, networks, augmentations, batches, states: state.terms }, terms, rng),
    precision,
  );
  const comparisons = terms.map(({ weight }, i) => ({ weight, comparison: found[i]! }));
  const metrics: Record<string, number> = { ...networks.metrics };
  for (const comparison of found) Object.assign(metrics, comparison.metrics);
  return { step: at.step, source, networks, augmentations, comparisons, metrics, state };
}

/**
 * Loss of some consecutive classes by their synthetic images. A penalty sees their part of the gradient: what their images
 * contribute to that of the mean cross-entropy over all classes.
 */
function lossOf(
  classes: readonly number[],
  images: Tensor,
  draw: DistributionDraw,
  { augmented, clean }: Penalties = {},
): Tensor {
  const { source, networks, comparisons, step } = draw;
  const { engine, network } = source;
  const theta = networks.parameters;
  const inputs = augmentedInputs(classes, images, draw);
  let embeddings: Tensor | undefined;
  const gradientOn = (rows: ClassRows, embed: (parameters: Parameters) => Tensor): readonly Tensor[] => {
    const share = classes.length / source.classes.length;
    const training = (...parameters: Tensor[]): Tensor =>
      crossEntropy(network.classify(parameters, embed(parameters)), labelsOf(rows)).mul(share);
    return engine.gradients(training, theta).gradients;
  };
  const extra: Tensor[] = [];
  if (augmented) {
    // The embeddings are those that the terms compare, too: one pass for both.
    const embed = (parameters: Parameters): Tensor => (embeddings = network.embed(parameters, inputs.values));
    extra.push(augmented(gradientOn(inputs, embed), step));
  }
  if (clean) {
    const rows = decodedRows(classes, images, source);
    const embed = (parameters: Parameters): Tensor => network.embed(parameters, rows.values);
    extra.push(clean(gradientOn(rows, embed), step));
  }
  const synthetic = classesOf(inputs, embeddings ?? network.embed(theta, inputs.values));
  const losses = comparisons.map(({ weight, comparison }) => comparison.loss(synthetic).mul(weight));
  return sum([...losses, ...extra]);
}

/** The synthetic images of some consecutive classes as networks see them in a step. */
function augmentedInputs(classes: readonly number[], images: Tensor, draw: DistributionDraw): ClassRows {
  const clean = decodedRows(classes, images, draw.source);
  return { ...clean, values: augmented(clean, draw.augmentations) };
}

function classesOf({ classes, counts, values: images }: ClassRows, embeddings: Tensor): SyntheticClasses {
  return { classes, counts, images, values: embeddings };
}

/** The state that the next step finds. Terms that learn see the images after the update, under this step's networks. */
function stateAfter({ images }: Learned, draw: DistributionDraw): State {
  const { source, networks, comparisons, state } = draw;
  const { engine, network } = source;
  const learns = comparisons.some(({ comparison }) => comparison.after !== undefined);
  const terms = !learns
    ? state.terms
    : engine.scope(() => {
        const inputs = augmentedInputs(allClasses(source), images, draw);
        const embeddings = engine.noGrad(() => network.embed(networks.parameters, inputs.values));
        const synthetic = classesOf(inputs, embeddings);
        return comparisons.map(({ comparison }, i) => comparison.after?.(synthetic) ?? state.terms[i]!);
      });
  return { networks: networks.after?.() ?? state.networks, terms };
}

/**
 * Penalties R at the gradients g on all synthetic images, as sums over groups of them: the slope v = ∂R/∂g makes the
 * gradient in the images exact, and the rest makes up for the value.
 *
 *     R(g) = Σ_groups ⟨v, g_group⟩ + rest,   rest = R(g) − ⟨v, g⟩
 */
function tangents(
  { augmented, clean }: Penalties,
  { images }: Learned,
  draw: DistributionDraw,
): { readonly slopes: Penalties; readonly rests: readonly Tensor[] } {
  const all = allClasses(draw.source);
  const ofAugmented = augmented && tangent(augmented, augmentedInputs(all, images, draw), draw);
  const ofClean = clean && tangent(clean, decodedRows(all, images, draw.source), draw);
  return {
    slopes: { augmented: ofAugmented?.slope, clean: ofClean?.slope },
    rests: [ofAugmented, ofClean].flatMap((found) => found?.rest ?? []),
  };
}

function tangent(
  penalty: GradientPenalty,
  inputs: ClassRows,
  { source, networks, step }: DistributionDraw,
): { readonly slope: GradientPenalty; readonly rest: Tensor } {
  const { engine, network } = source;
  const along = (v: readonly Tensor[], part: readonly Tensor[]): Tensor =>
    sum(part.map((one, i) => one.mul(v[i]!).sum()));
  const { v, rest } = engine.scope(() => {
    const batch = { images: inputs.values, labels: labelsOf(inputs) };
    const g = parameterGradient(network, networks.parameters, batch);
    const { value, gradients } = engine.gradients((...at) => penalty(at, step), g);
    return { v: gradients, rest: value.sub(along(gradients, g)) };
  });
  return { slope: (part) => along(v, part), rest };
}

const sum = (tensors: readonly Tensor[]): Tensor => tensors.reduce((total, tensor) => total.add(tensor));

const allClasses = ({ classes }: Source): number[] => classes.map((_, label) => label);

/** Consecutive classes with at most `imagesAtOnce` synthetic images together, at least one; all where images are tied. */
function classGroups(source: Source): number[][] {
  const { network } = source;
  const all = allClasses(source);
  if (network.statistics.length > 0) return [all];
  const size = Math.max(1, Math.floor(imagesAtOnce(network) / seenPerClass(source)));
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
}
