import type { Rng } from "../core/rng.ts";
import type { Strategy } from "../datasets/augment.ts";
import type { Dataset } from "../datasets/dataset.ts";
import type { Partition } from "../datasets/partition.ts";
import type { Engine, Tensor, Tree } from "../engines/index.ts";
import type { NamedArrays } from "../formats/array.ts";
import type { Network } from "../networks/network.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";

/** Where draws come from: all that stays the same over a run. */
export interface Source {
  /** Where everything is computed. */
  readonly engine: Engine;
  /** Real training images. */
  readonly real: Dataset;
  /** Positions of each class's images in `real`. */
  readonly classes: readonly Int32Array[];
  /** Images of the same classes, shape and space that initializations choose from in place of the real ones. */
  readonly pool?: Dataset;
  /** Architecture of the matching networks. */
  readonly network: Network;
  /** Labels of the synthetic images, class-major: imagesPerClass times 0, then 1, … */
  readonly labels: Int32Array;
  /** Synthetic images of each class. */
  readonly imagesPerClass: number;
  /** Of synthetic images that are mosaics, which methods decode before anything else; absent where they are whole images. */
  readonly partition?: Partition;
  /** Differentiable siamese augmentation to draw from; empty for none. */
  readonly augmentation: Strategy;
  /** Arrays of one part of a preparation of the objective's. There for objectives that have some. */
  prepared?(preparation: Preparation, part: number): NamedArrays;
}

/**
 * Work that runs share and that is done before the first step of any of them: expert trajectories, pretrained extractors.
 * Its parts are independent, so that processes and machines can share them; each is kept whole, and made once.
 */
export interface Preparation {
  /** Names what it makes, as in "experts". */
  readonly name: string;
  /** Plain data: all that the result depends on beside data and network. Runs that agree in these share one result. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The architecture, as plain data, where the result does not depend on that of the matching networks but on this. */
  readonly network?: Readonly<Record<string, unknown>>;
  /** How many there are. */
  readonly parts: number;
  /** Made before it: a part reads the one of the same number of each by `source.prepared`. */
  readonly needs?: readonly Preparation[];
  /** About what a part takes on disk, bytes. */
  bytes?(source: Pick<Source, "network" | "real" | "classes">): number;
  /**
   * Makes one part from its own dice. Yields how far it is now and then.
   *
   * @param state what a report held when the part was left: it goes on from there, to the same bits. Its tensors are the
   *   part's to free.
   */
  part(source: Source, index: number, rng: Rng, state?: Tree): Generator<PartReport, NamedArrays>;
}

/** How far a part of a preparation is. */
export interface PartReport {
  /** Share of the work that is done, 0 to 1. */
  readonly share: number;
  /** To go on from; its tensors live until the next report. Absent where the part can only be made anew. */
  readonly state?: Tree;
}

/** What a method learns, by name: the images, [m, h, w, c] normalized, and e.g. soft labels or a step size. */
export type Learned = { readonly images: Tensor } & { readonly [name: string]: Tensor };

/** Everything random in one step, and what the step reads of the method's state. */
export interface Draw {
  /** Updates done before. */
  readonly step: number;
  /** Quantities worth a column in the log, by name. */
  readonly metrics?: Readonly<Record<string, number>>;
}

/**
 * A penalty R(g) on a gradient g that a network takes on synthetic data, ∇_θ ℓ(θ; S).
 *
 * @param step updates done before.
 * @returns scalar, differentiable in the gradient.
 */
export type GradientPenalty = (gradient: readonly Tensor[], step: number) => Tensor;

/**
 * Penalties on gradients that networks take on synthetic data. Every objective adds them where it meets such gradients, as
 * its description says, so that a plugin need not know which objective it wraps.
 */
export interface Penalties {
  /** Of the gradient on the images as the step augments them. */
  readonly augmented?: GradientPenalty | undefined;
  /** Of the gradient on the images as they are. */
  readonly clean?: GradientPenalty | undefined;
}

/** What a method starts from. */
export interface Beginning {
  /** The images at step 0, in place of those that the run's initialization gives. */
  readonly images?: Tensor;
  /** Initial values of what is learned beside the images. */
  readonly learned?: Readonly<Record<string, Tensor>>;
  /** The method's own state: networks that it trains as it goes, counters. A checkpoint saves and restores it. */
  readonly state?: Tree;
}

/** Loss and its gradient in every learned tensor. */
export interface Descent {
  /** The loss, a scalar. */
  readonly value: Tensor;
  /** By the names of what is learned. */
  readonly gradients: Readonly<Record<string, Tensor>>;
  /** Scalars worth a column in the log, by name. */
  readonly metrics?: Readonly<Record<string, Tensor>>;
  /** Why the step changes nothing: all that is learned stays as it is, with the states of its optimizers. */
  readonly skipped?: string;
}

/**
 * A method: how one step obtains a loss.
 *
 * All dice are rolled in `draw`; everything else is a deterministic function of its arguments. Objects are literals, and
 * variants wrap them by spread.
 */
export interface Objective<D extends Draw = Draw> {
  /** Names the method in messages and results. */
  readonly name: string;
  /** One optimizer for each thing that is learned beside the images; that of the images is the run's. */
  readonly optimizers?: Readonly<Record<string, Optimizer>>;
  /** What must be there before the first step; `source.prepared` then gives its arrays. */
  readonly preparations?: readonly Preparation[];
  /**
   * The method's start. Absent: the images alone are learned, and there is no state.
   *
   * @param images those that the run's initialization gives, the run's to free.
   */
  begin?(source: Source, rng: Rng, images: Tensor): Beginning;
  /** Rolls all dice of one step: networks, batches, augmentations, frequencies, shuffles. */
  draw(source: Source, rng: Rng, at: { readonly step: number; readonly state: Tree }): D;
  /** Scalar, differentiable in every learned tensor. Same arguments, same value. */
  loss(learned: Learned, draw: D, penalties?: Penalties): Tensor;
  /** The loss and its gradients by the method's own route, where one beats differentiating `loss`. */
  descent?(learned: Learned, draw: D, penalties?: Penalties): Descent;
  /** The state after the update, for methods that train networks as they go. */
  after?(learned: Learned, draw: D): Tree;
  /** What a run hands out and shows, where that is not what is learned: e.g. averages over the steps. */
  result?(learned: Learned, state: Tree): Learned;
}

/** Options of a run that a method brings defaults of its own for, as a config states them. */
export interface RunDefaults {
  /** Siamese augmentation, as text. */
  readonly augmentation?: string;
  /** Images at step 0. */
  readonly initialization?: string;
  /** Optimizer of the images. */
  readonly optimizer?: { readonly name: string } & Readonly<Record<string, unknown>>;
}

/** Objective → objective. It wraps by spread and knows nothing of what it wraps. */
export type Plugin = <D extends Draw>(inner: Objective<D>) => Objective<D>;

/** The objective with `extra` added to its penalties on synthetic gradients. */
export function penalized<D extends Draw>(inner: Objective<D>, extra: Penalties): Objective<D> {
  const joined = (given: Penalties = {}): Penalties => ({
    augmented: sumOf(given.augmented, extra.augmented),
    clean: sumOf(given.clean, extra.clean),
  });
  const own = inner.descent?.bind(inner);
  return {
    ...inner,
    loss: (learned, draw, penalties) => inner.loss(learned, draw, joined(penalties)),
    ...(own && { descent: (learned, draw, penalties) => own(learned, draw, joined(penalties)) }),
  };
}

/** One penalty for both; undefined for neither. */
export function sumOf(
  a: GradientPenalty | undefined,
  b: GradientPenalty | undefined,
): GradientPenalty | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return (gradient, step) => a(gradient, step).add(b(gradient, step));
}

/** What a run hands out and shows: the method's result, or what it learns. */
export function resultOf(
  { result }: Pick<Objective, "result">,
  { learned, state }: { readonly learned: Learned; readonly state: Tree },
): Learned {
  return result ? result(learned, state) : learned;
}

/** Loss and gradients of a step: by the objective's own route, or by differentiating its loss. */
export function descent<D extends Draw>(objective: Objective<D>, learned: Learned, draw: D): Descent {
  if (objective.descent) return objective.descent(learned, draw);
  const names = Object.keys(learned);
  const { value, gradients } = learned.images.engine.gradients(
    (...tensors) => objective.loss(zip(names, tensors) as Learned, draw),
    names.map((name) => learned[name]!),
  );
  return { value, gradients: zip(names, gradients) };
}

function zip(names: readonly string[], tensors: readonly Tensor[]): Record<string, Tensor> {
  return Object.fromEntries(names.map((name, i) => [name, tensors[i]!]));
}
