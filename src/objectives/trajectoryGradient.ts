import { augment } from "../datasets/augment.ts";
import { disposeExcept, isTensor, type Tensor } from "../engines/index.ts";
import type { ParameterGradient } from "../losses/gradientDistance.ts";
import type { Network, Parameters } from "../networks/network.ts";
import { accumulated, dot, parameterGradient } from "../training/parameterGradient.ts";
import { type DirectionalGradients, directionalGradients } from "./imageGradient.ts";
import {
  asTheyAre,
  batchOf,
  distanceAt,
  type Penalty,
  stepped,
  type StudentBatch,
  type Synthetic,
  type Trajectory,
  type TrajectoryOptions,
} from "./trajectory.ts";

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
  { penalty, cleanPenalty, throughPath = true }: TrajectoryOptions = {},
): TrajectoryGradient {
  const { network, batches } = trajectory;
  const { images, labels, stepSize } = synthetic;
  const { engine } = images;
  return engine.scope(() => {
    const { steps, end } = studentPath(trajectory, synthetic);
    const distance = engine.gradients((...theta) => distanceAt(theta, trajectory), end);
    let adjoint: Adjoint = {
      value: distance.value,
      theta: distance.gradients,
      images: engine.fill(images.shape, 0),
      labels: isTensor(labels) ? engine.fill(labels.shape, 0) : undefined,
      stepSize: engine.fill(stepSize.shape, 0),
    };
    const share = (one: Penalty | undefined): Penalty | undefined =>
      one && ((gradient) => one(gradient).div(batches.length));
    const penalties = { penalty: share(penalty), cleanPenalty: share(cleanPenalty) };
    for (let i = steps.length - 1; i >= 0; i--) {
      const options = { ...penalties, hessian: throughPath && i > 0 };
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

interface BackwardOptions {
  /** Of one step, with its share in the mean. */
  readonly penalty: Penalty | undefined;
  readonly cleanPenalty: Penalty | undefined;
  /** Whether the parameters before the step count as moving. */
  readonly hessian: boolean;
}

/** From the derivatives after a step to those before it. */
function adjointBefore(
  after: Adjoint,
  network: Network,
  step: Step & { readonly synthetic: Synthetic },
  options: BackwardOptions,
): Adjoint {
  const before = throughUpdate(after, network, step, options);
  const { cleanPenalty } = options;
  return cleanPenalty ? withClean(before, network, step, { ...options, cleanPenalty }) : before;
}

/** Through θᵢ₊₁ = θᵢ − β gᵢ and the penalty on gᵢ. */
function throughUpdate(
  after: Adjoint,
  network: Network,
  { synthetic, batch, theta, gradient }: Step & { readonly synthetic: Synthetic },
  { penalty, hessian }: BackwardOptions,
): Adjoint {
  const { stepSize } = synthetic;
  const { engine } = stepSize;
  const beta = stepSize.reshape([]);
  let { value } = after;
  let direction: ParameterGradient = after.theta.map((part) => part.mul(beta).neg());
  if (penalty) {
    const added = engine.gradients((...g) => penalty(g), gradient);
    value = value.add(added.value);
    direction = accumulated(direction, added.gradients);
  }
  const along = directionalGradients(network, theta, batchOf(synthetic, batch), { direction, hessian });
  return {
    value,
    ...added(after, along, { synthetic, batch }),
    stepSize: after.stepSize.sub(dot(after.theta, gradient).reshape(stepSize.shape)),
  };
}

/** The penalty on the gradient that the student would take on the images as they are, which does not move it. */
function withClean(
  before: Adjoint,
  network: Network,
  { synthetic, batch: augmented, theta }: Step & { readonly synthetic: Synthetic },
  { cleanPenalty, hessian }: BackwardOptions & { readonly cleanPenalty: Penalty },
): Adjoint {
  const { engine } = synthetic.images;
  const batch = asTheyAre(augmented);
  const shown = batchOf(synthetic, batch);
  const penalized = engine.gradients((...g) => cleanPenalty(g), parameterGradient(network, theta, shown));
  const along = directionalGradients(network, theta, shown, { direction: penalized.gradients, hessian });
  return {
    value: before.value.add(penalized.value),
    ...added(before, along, { synthetic, batch }),
    stepSize: before.stepSize,
  };
}

/** The derivatives with those of ⟨c, ∇_θ ℓ⟩ on a batch, taken back to all images and labels. */
function added(
  to: Adjoint,
  along: DirectionalGradients,
  { synthetic: { images, labels }, batch }: { readonly synthetic: Synthetic; readonly batch: StudentBatch },
): Pick<Adjoint, "theta" | "images" | "labels"> {
  const picked = images.engine.indices(batch.positions);
  return {
    theta: along.parameters.length > 0 ? accumulated(to.theta, along.parameters) : to.theta,
    images: to.images.add(
      pulledBack((all) => augment(all.gather(picked), batch.augmentation), images, along.images),
    ),
    labels: isTensor(labels)
      ? to.labels!.add(pulledBack((all) => all.gather(picked), labels, along.labels!))
      : undefined,
  };
}

/** Gradient of ⟨u, f(x)⟩ in x. */
function pulledBack(f: (x: Tensor) => Tensor, x: Tensor, u: Tensor): Tensor {
  return x.engine.gradients((at) => f(at!).mul(u).sum(), [x]).gradients[0]!;
}
