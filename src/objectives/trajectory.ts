import { augment, type Augmentation } from "../datasets/augment.ts";
import { isTensor, type Tensor } from "../engines/index.ts";
import type { ParameterGradient } from "../losses/gradientDistance.ts";
import { trajectoryDistance } from "../losses/trajectoryDistance.ts";
import type { Network, Parameters } from "../networks/network.ts";
import { type Batch, differentiableGradient } from "../training/parameterGradient.ts";

/** A stretch of an expert's path, and the dice of the student that is to go it in its own steps. */
export interface Trajectory {
  /** Architecture of expert and student. */
  readonly network: Network;
  /** θ₀, where the student starts: the expert's parameters at some epoch. */
  readonly start: Parameters;
  /** θ*, where it should arrive: the expert's parameters some epochs later. */
  readonly target: Parameters;
  /** One for each step of the student. */
  readonly batches: readonly StudentBatch[];
  /** How many of the parameters, from the first on, are compared at the end, as in LAD's backbone. Default: all. */
  readonly compared?: number;
}

/** A mini-batch of synthetic images. */
export interface StudentBatch {
  /** Which images, of all synthetic ones. */
  readonly positions: Int32Array;
  /** Of its images. */
  readonly augmentation: Augmentation;
}

/** The synthetic set and the step size by which the student learns from it. */
export interface Synthetic {
  /** All synthetic images, normalized, [m, h, w, c]. */
  readonly images: Tensor;
  /** Hard ones, m whole numbers; or soft ones, [m, classes]. */
  readonly labels: Int32Array | Tensor;
  /** β, one number. */
  readonly stepSize: Tensor;
}

/** R(g), scalar, differentiable in the gradient g that the student takes in a step. */
export type Penalty = (gradient: ParameterGradient) => Tensor;

/** What can be chosen about a trajectory's loss and gradient. */
export interface TrajectoryOptions {
  /** R, whose mean over steps is added: of the gradients that the student takes, on images as the steps augment them. */
  readonly penalty?: Penalty | undefined;
  /** The same of the gradients that it would take on the images as they are. */
  readonly cleanPenalty?: Penalty | undefined;
  /**
   * Whether earlier steps count as moving later parameters. Without, each θᵢ is a constant, as in TESLA's code (Cui et
   * al., ICML 2023): somewhat less work, and not the gradient of the loss. Default true.
   */
  readonly throughPath?: boolean;
}

/**
 * Loss of trajectory matching (MTT, Cazenavette et al., CVPR 2022), of a student that takes N plain gradient steps on
 * synthetic mini-batches:
 *
 *     L = ‖θ_N − θ*‖² / ‖θ₀ − θ*‖² + 1/N Σᵢ R(gᵢ),   θᵢ₊₁ = θᵢ − β gᵢ,   gᵢ = ∇_θ ℓ(θᵢ; A(xᵢ), yᵢ)
 *
 * with ℓ the mean cross-entropy and A an augmentation. Scalar, differentiable in images, soft labels and step size; a
 * differentiation keeps the graphs of all steps.
 */
export function trajectoryLoss(
  trajectory: Trajectory,
  synthetic: Synthetic,
  options: TrajectoryOptions = {},
): Tensor {
  const { distance, penalties } = trajectoryTerms(trajectory, synthetic, options);
  return penalties.reduce((total, term) => total.add(term), distance);
}

/** The terms of `trajectoryLoss`: the distance at the end, and the penalties of the steps. */
export function trajectoryTerms(
  trajectory: Trajectory,
  synthetic: Synthetic,
  { penalty, cleanPenalty }: TrajectoryOptions,
): { readonly distance: Tensor; readonly penalties: readonly Tensor[] } {
  const { network, start, batches } = trajectory;
  let theta = start;
  const penalties: Tensor[] = [];
  for (const batch of batches) {
    const gradientOn = (step: StudentBatch): ParameterGradient =>
      differentiableGradient(network, theta, batchOf(synthetic, step));
    const gradient = gradientOn(batch);
    if (penalty) penalties.push(penalty(gradient).div(batches.length));
    if (cleanPenalty) penalties.push(cleanPenalty(gradientOn(asTheyAre(batch))).div(batches.length));
    theta = stepped(theta, gradient, synthetic.stepSize);
  }
  return { distance: distanceAt(theta, trajectory), penalties };
}

/** The augmented images of a step and their labels. */
export function batchOf({ images, labels }: Synthetic, { positions, augmentation }: StudentBatch): Batch {
  const picked = images.engine.indices(positions);
  return {
    images: augment(images.gather(picked), augmentation),
    labels: isTensor(labels) ? labels.gather(picked) : positions.map((position) => labels[position]!),
  };
}

/** One plain gradient step, θ − β g. */
export function stepped(theta: Parameters, gradient: ParameterGradient, stepSize: Tensor): Parameters {
  const beta = stepSize.reshape([]);
  // All at once, so that what they leave free is one piece, and not gaps between parameters that stay.
  const moves = gradient.map((part) => part.mul(beta));
  return theta.map((part, k) => part.sub(moves[k]!));
}

/** A mini-batch of the images as they are. */
export const asTheyAre = ({ positions }: StudentBatch): StudentBatch => ({
  positions,
  augmentation: { op: "none" },
});

/** The distance of the parameters that are compared. */
export function distanceAt(
  theta: Parameters,
  { start, target, compared }: Pick<Trajectory, "start" | "target" | "compared">,
): Tensor {
  const [end, from, to] = [theta, start, target].map((all) => all.slice(0, compared));
  return trajectoryDistance(end!, from!, to!);
}
