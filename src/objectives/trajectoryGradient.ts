import { augment, type Augmentation } from "../datasets/augment.ts";
import { disposeExcept, isTensor, type Tensor } from "../engines/index.ts";
import type { ParameterGradient } from "../losses/gradientDistance.ts";
import { trajectoryDistance } from "../losses/trajectoryDistance.ts";
import type { Network, Parameters } from "../networks/network.ts";
import { directionalGradients } from "./imageGradient.ts";
import {
  accumulated,
  type Batch,
  differentiableGradient,
  dot,
  parameterGradient,
} from "../training/parameterGradient.ts";

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
  /** R, whose mean over steps is added. */
  readonly penalty?: Penalty | undefined;
  /**
   * Whether earlier steps count as moving later parameters. Without, each θᵢ is a constant, as in TESLA's code (Cui et
   * al., ICML 2023): somewhat less work, and not the gradient of the loss. Default true.
   */
  readonly throughPath?: boolean;
}

/** The loss of a trajectory and its gradients in all that is learned. */
export interface TrajectoryGradient {
  /** L, scalar. */
  readonly value: Tensor;
  /** Its first term alone. */
  readonly distance: Tensor;
  /** Gradients of L. */
  readonly gradients: {
    readonly images: Tensor;
    readonly stepSize: Tensor;
    /** Where labels are soft. */
    readonly labels: Tensor | undefined;
  };
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
  { network, start, target, batches }: Trajectory,
  synthetic: Synthetic,
  { penalty }: TrajectoryOptions = {},
): Tensor {
  let theta = start;
  const penalties: Tensor[] = [];
  for (const batch of batches) {
    const gradient = differentiableGradient(network, theta, batchOf(synthetic, batch));
    if (penalty) penalties.push(penalty(gradient).div(batches.length));
    theta = stepped(theta, gradient, synthetic.stepSize);
  }
  return [trajectoryDistance(theta, start, target), ...penalties].reduce((total, term) => total.add(term));
}

/**
 * The loss of `trajectoryLoss` and its gradients, by a recursion from the last step to the first that needs the graph of
 * one step at a time. With a = ∂L/∂θᵢ₊₁, starting at 2(θ_N − θ*)/‖θ₀ − θ*‖², each step i contributes
 *
 *     c = ∂L/∂gᵢ = −β a + 1/N ∂R/∂gᵢ
 *     ∂L/∂β −= ⟨a, gᵢ⟩,   ∂L/∂x += ∂⟨c, gᵢ⟩/∂x,   ∂L/∂y += ∂⟨c, gᵢ⟩/∂y,   a += ∂⟨c, gᵢ⟩/∂θᵢ
 *
 * The same numbers as differentiating the loss, by about as much work. Memory grows with N only by each step's θᵢ and gᵢ.
 * The augmentation is affine in the images, and stays out of the second-order part.
 */
export function trajectoryGradient(
  trajectory: Trajectory,
  synthetic: Synthetic,
  { penalty, throughPath = true }: TrajectoryOptions = {},
): TrajectoryGradient {
  const { network, start, target, batches } = trajectory;
  const { images, labels, stepSize } = synthetic;
  const { engine } = images;
  return engine.scope(() => {
    const { steps, end } = studentPath(trajectory, synthetic);
    const distance = engine.gradients((...theta) => trajectoryDistance(theta, start, target), end);
    let adjoint: Adjoint = {
      value: distance.value,
      theta: distance.gradients,
      images: engine.fill(images.shape, 0),
      labels: isTensor(labels) ? engine.fill(labels.shape, 0) : undefined,
      stepSize: engine.fill(stepSize.shape, 0),
    };
    const share: Penalty | undefined = penalty && ((gradient) => penalty(gradient).div(batches.length));
    for (let i = steps.length - 1; i >= 0; i--) {
      const options = { penalty: share, hessian: throughPath && i > 0 };
      const earlier = engine.scope(() =>
        adjointBefore(adjoint, network, { synthetic, ...steps[i]! }, options),
      );
      disposeExcept(adjoint, [earlier, distance.value]);
      adjoint = earlier;
    }
    const { value, images: x, labels: y, stepSize: beta } = adjoint;
    return { value, distance: distance.value, gradients: { images: x, labels: y, stepSize: beta } };
  });
}

/** A step of the student. */
interface Step {
  readonly batch: StudentBatch;
  /** θᵢ, and gᵢ there. */
  readonly theta: Parameters;
  readonly gradient: ParameterGradient;
}

/** The student's steps, as constants, and θ_N. */
function studentPath(
  { network, start, batches }: Trajectory,
  synthetic: Synthetic,
): { readonly steps: readonly Step[]; readonly end: Parameters } {
  const { engine } = synthetic.images;
  const steps: Step[] = [];
  let theta = start;
  for (const batch of batches) {
    const step = engine.scope(() => {
      const gradient = parameterGradient(network, theta, batchOf(synthetic, batch));
      return { gradient, next: stepped(theta, gradient, synthetic.stepSize) };
    });
    steps.push({ batch, theta, gradient: step.gradient });
    theta = step.next;
  }
  return { steps, end: theta };
}

/** Derivatives of L, of those of its parts that come after a step. */
interface Adjoint {
  /** The parts of L themselves. */
  readonly value: Tensor;
  /** In the parameters before that step. */
  readonly theta: ParameterGradient;
  readonly images: Tensor;
  readonly labels: Tensor | undefined;
  readonly stepSize: Tensor;
}

/** From the derivatives after a step to those before it. */
function adjointBefore(
  after: Adjoint,
  network: Network,
  { synthetic, batch, theta, gradient }: Step & { readonly synthetic: Synthetic },
  { penalty, hessian }: { readonly penalty: Penalty | undefined; readonly hessian: boolean },
): Adjoint {
  const { images, labels, stepSize } = synthetic;
  const { engine } = images;
  const beta = stepSize.reshape([]);
  let { value } = after;
  let direction: ParameterGradient = after.theta.map((part) => part.mul(beta).neg());
  if (penalty) {
    const added = engine.gradients((...g) => penalty(g), gradient);
    value = value.add(added.value);
    direction = accumulated(direction, added.gradients);
  }
  const along = directionalGradients(network, theta, batchOf(synthetic, batch), { direction, hessian });
  const picked = engine.indices(batch.positions);
  return {
    value,
    theta: hessian ? accumulated(after.theta, along.parameters) : after.theta,
    images: after.images.add(
      pulledBack((all) => augment(all.gather(picked), batch.augmentation), images, along.images),
    ),
    labels: isTensor(labels)
      ? after.labels!.add(pulledBack((all) => all.gather(picked), labels, along.labels!))
      : undefined,
    stepSize: after.stepSize.sub(dot(after.theta, gradient).reshape(stepSize.shape)),
  };
}

/** The augmented images of a step and their labels. */
function batchOf({ images, labels }: Synthetic, { positions, augmentation }: StudentBatch): Batch {
  const picked = images.engine.indices(positions);
  return {
    images: augment(images.gather(picked), augmentation),
    labels: isTensor(labels) ? labels.gather(picked) : positions.map((position) => labels[position]!),
  };
}

/** One plain gradient step, θ − β g. */
function stepped(theta: Parameters, gradient: ParameterGradient, stepSize: Tensor): Parameters {
  const beta = stepSize.reshape([]);
  return theta.map((part, k) => part.sub(gradient[k]!.mul(beta)));
}

/** Gradient of ⟨u, f(x)⟩ in x. */
function pulledBack(f: (x: Tensor) => Tensor, x: Tensor, u: Tensor): Tensor {
  return x.engine.gradients((at) => f(at!).mul(u).sum(), [x]).gradients[0]!;
}
