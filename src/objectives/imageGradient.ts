import { isTensor, type Tensor } from "../engines/index.ts";
import type { GradientMatch, ParameterGradient } from "../losses/gradientDistance.ts";
import type { Network, Parameters } from "../networks/network.ts";
import type { GradientPenalty } from "./objective.ts";
import {
  accumulated,
  type Batch,
  chunksOf,
  differentiableGradient,
  dot,
  parameterGradient,
} from "../training/parameterGradient.ts";

/** A function F of a gradient with its slope v = ∂F/∂g: `match` of a gradient distance to fixed real gradients. */
export type Match = (gradient: ParameterGradient) => GradientMatch;

/** A function of a gradient, and its gradient in the images. */
export interface ImageGradient {
  /** F(∇_θ ℓ(θ; x, y)), scalar. */
  readonly value: Tensor;
  /** The same without penalties. */
  readonly distance: Tensor;
  /** Gradient of the value in the images, [n, h, w, c]. */
  readonly gradient: Tensor;
}

/**
 * Gradient of F(g) in the images x that g = ∇_θ ℓ(θ; x, y) is taken on, ℓ the mean cross-entropy. F enters by its slope
 * v = ∂F/∂g alone:
 *
 *     ∂F/∂x = ∂/∂x ⟨v, ∇_θ ℓ(θ; x, y)⟩,   v constant
 *
 * That is exact, at the cost of one second-order pass. F sees constants. Any number of images: in chunks, g is taken
 * first, and the pass is made for one chunk after another.
 */
export function imageGradient(
  network: Network,
  theta: Parameters,
  batch: Batch,
  match: Match,
): ImageGradient {
  return batch.images.engine.scope(() => {
    const { images, matched } = matchedGradients(network, theta, batch, { match });
    const { value, distance = value } = matched;
    return { value, distance, gradient: images };
  });
}

/** F plus a penalty R: value and slope of F(g) + R(g). */
export function penalizedMatch(match: Match, penalty: GradientPenalty | undefined, step: number): Match {
  if (penalty === undefined) return match;
  const penaltyMatch = matchOf((gradient) => penalty(gradient, step));
  return (gradient) => {
    const [matched, penalized] = [match(gradient), penaltyMatch(gradient)];
    return {
      value: matched.value.add(penalized.value),
      distance: matched.value,
      direction: accumulated(matched.direction, penalized.direction),
    };
  };
}

/** A penalty alone: value and slope of R(g). */
export function matchOf(penalty: (gradient: ParameterGradient) => Tensor): Match {
  return (gradient) => {
    const { value, gradients } = gradient[0]!.engine.gradients((...g) => penalty(g), gradient);
    return { value, direction: gradients };
  };
}

/** Gradients of ⟨v, ∇_θ ℓ(θ; x, y)⟩. */
export interface DirectionalGradients {
  /** Gradient of ⟨v, ∇_θ ℓ⟩ in the images, [n, h, w, c]. */
  readonly images: Tensor;
  /** Where labels are soft. */
  readonly labels: Tensor | undefined;
  /** The Hessian of ℓ in θ times v; empty where it was not asked for. */
  readonly parameters: readonly Tensor[];
}

/**
 * Gradients of the slope of ℓ along a constant direction v, ⟨v, ∇_θ ℓ(θ; x, y)⟩, in images, soft labels and, if `hessian`
 * says so, θ. Any number of images: in chunks.
 */
export function directionalGradients(
  network: Network,
  theta: Parameters,
  batch: Batch,
  { direction, hessian = false }: { readonly direction: ParameterGradient; readonly hessian?: boolean },
): DirectionalGradients {
  const { engine } = batch.images;
  return engine.scope(() => {
    const parts = chunksOf(network, batch).map((chunk) => {
      const { share } = chunk;
      const slope = (): ParameterGradient =>
        share === 1 ? direction : direction.map((part) => part.mul(share));
      return engine.scope(() => pass(network, theta, chunk, { slope, hessian }));
    });
    if (parts.length === 1) return parts[0]!;
    return {
      images: engine.concat(parts.map(({ images }) => images)),
      labels: parts[0]!.labels && engine.concat(parts.map(({ labels }) => labels!)),
      parameters: parts.map(({ parameters }) => parameters).reduce((total, part) => accumulated(total, part)),
    };
  });
}

/** What is chosen about gradients along a direction that follows from g. */
export interface MatchedOptions<M> {
  /** Is given g as constants; its direction v is followed, and all that it returns is handed on. */
  readonly match: (gradient: ParameterGradient) => M;
  readonly hessian?: boolean;
  /** g, where it is known: saves a pass where the images go through the network in chunks. */
  readonly gradient?: ParameterGradient | undefined;
}

/**
 * The gradients of ⟨v, ∇_θ ℓ(θ; x, y)⟩, v constant, where v follows from the gradient g = ∇_θ ℓ(θ; x, y) itself. Where one
 * pass takes all images, it has g on its way.
 */
export function matchedGradients<M extends { readonly direction: ParameterGradient }>(
  network: Network,
  theta: Parameters,
  batch: Batch,
  { match, hessian = false, gradient: known }: MatchedOptions<M>,
): DirectionalGradients & { readonly matched: M } {
  const { engine } = batch.images;
  return engine.scope(() => {
    if (chunksOf(network, batch).length > 1) {
      const matched = engine.noGrad(() => match(known ?? parameterGradient(network, theta, batch)));
      const { direction } = matched;
      return { ...directionalGradients(network, theta, batch, { direction, hessian }), matched };
    }
    let matched: M;
    const slope = (gradient: ParameterGradient): ParameterGradient => {
      matched = match(gradient);
      return matched.direction;
    };
    return { ...pass(network, theta, batch, { slope, hessian }), matched: matched! };
  });
}

interface PassOptions {
  /** v, given the gradient as constants. */
  readonly slope: (gradient: ParameterGradient) => ParameterGradient;
  readonly hessian?: boolean;
}

function pass(
  network: Network,
  theta: Parameters,
  batch: Batch,
  { slope, hessian = false }: PassOptions,
): DirectionalGradients {
  const { images, labels } = batch;
  const { engine } = images;
  const soft = isTensor(labels) ? [labels] : [];
  const named = (tensors: readonly Tensor[]): DirectionalGradients => ({
    images: tensors[0]!,
    labels: soft.length === 0 ? undefined : tensors[1]!,
    parameters: tensors.slice(1 + soft.length),
  });
  const { gradients } = engine.gradients(
    (...tensors) => {
      const at = named(tensors);
      const here = { ...batch, images: at.images, labels: at.labels ?? labels };
      const gradient = differentiableGradient(network, hessian ? at.parameters : theta, here);
      const v = engine.noGrad(() => slope(gradient.map((part) => part.detach())));
      return dot(v, gradient);
    },
    [images, ...soft, ...(hessian ? theta : [])],
  );
  return named(gradients);
}
