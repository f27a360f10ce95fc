import { augment } from "../datasets/augment.ts";
import { disposeExcept, isTensor, type Tensor } from "../engines/index.ts";
import type { ParameterGradient } from "../losses/gradientDistance.ts";
import type { Network, Parameters } from "../networks/network.ts";
import { accumulated, chunksOf, dot, parameterGradient } from "../training/parameterGradient.ts";
import { type DirectionalGradients, matchedGradients, matchOf } from "./imageGradient.ts";
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
  trajectoryTerms,
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
 * The same numbers as differentiating the loss, by about as much work. Memory grows with N only by each step's θᵢ: the pass
 * that follows c has gᵢ on its way. Where a mini-batch takes several passes, the first of which would be for gᵢ alone, gᵢ is
 * kept, too. The augmentation is affine in the images, and stays out of the second-order part.
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

/**
 * The same by differentiating `trajectoryLoss`, which holds the graphs of all steps at once. The recursion takes each step twice,
 * first for its parameters: an unroll that fits in memory takes three quarters of the time.
 */
export function unrolledGradient(
  trajectory: Trajectory,
  synthetic: Synthetic,
  options: TrajectoryOptions = {},
): TrajectoryGradient {
  const { images, labels, stepSize } = synthetic;
  return images.engine.scope(() => {
    let distance: Tensor;
    const { value, gradients } = images.engine.gradients(
      (x, beta, y) => {
        const terms = trajectoryTerms(
          trajectory,
          { images: x!, stepSize: beta!, labels: y ?? labels },
          options,
        );
        distance = terms.distance.detach();
        return terms.penalties.reduce((total, term) => total.add(term), terms.distance);
      },
      [images, stepSize, ...(isTensor(labels) ? [labels] : [])],
    );
    return {
      value,
      distance: distance!,
      gradients: { images: gradients[0]!, stepSize: gradients[1]!, labels: gradients[2] },
    };
  });
}

/** A step of the student. */
interface Step {
  readonly batch: StudentBatch;
  /** θᵢ. */
  readonly theta: Parameters;
  /** gᵢ there, where the mini-batch goes through the network in chunks. */
  readonly gradient: ParameterGradient | undefined;
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
    const { gradient, next } = engine.scope(() => {
      const shown = batchOf(synthetic, batch);
      const taken = parameterGradient(network, theta, shown);
      const inChunks = chunksOf(network, shown).length > 1;
      return { gradient: inChunks ? taken : undefined, next: stepped(theta, taken, synthetic.stepSize) };
    });
    steps.push({ batch, theta, gradient });
    theta = next;
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
  { synthetic, batch, theta, gradient: known }: Step & { readonly synthetic: Synthetic },
  { penalty, hessian }: BackwardOptions,
): Adjoint {
  const { stepSize } = synthetic;
  const minusBeta = stepSize.reshape([]).neg();
  const match = (gradient: ParameterGradient) => {
    const taken = {
      direction: after.theta.map((part) => part.mul(minusBeta)),
      along: dot(after.theta, gradient),
    };
    if (!penalty) return { ...taken, value: after.value };
    const { value, direction } = matchOf(penalty)(gradient);
    return {
      ...taken,
      value: after.value.add(value),
      direction: accumulated(taken.direction, direction),
    };
  };
  const { matched, ...found } = matchedGradients(network, theta, batchOf(synthetic, batch), {
    match,
    hessian,
    gradient: known,
  });
  return {
    value: matched.value,
    ...added(after, found, { synthetic, batch }),
    stepSize: after.stepSize.sub(matched.along.reshape(stepSize.shape)),
  };
}

/** The penalty on the gradient that the student would take on the images as they are, which does not move it. */
function withClean(
  before: Adjoint,
  network: Network,
  { synthetic, batch: augmented, theta }: Step & { readonly synthetic: Synthetic },
  { cleanPenalty, hessian }: BackwardOptions & { readonly cleanPenalty: Penalty },
): Adjoint {
  const batch = asTheyAre(augmented);
  const { matched, ...found } = matchedGradients(network, theta, batchOf(synthetic, batch), {
    match: matchOf(cleanPenalty),
    hessian,
  });
  return {
    value: before.value.add(matched.value),
    ...added(before, found, { synthetic, batch }),
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
