import { Divergence } from "../core/errors.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import { disposeExcept, type Engine, type Tensor, type Tree } from "../engines/index.ts";
import type { Parameters, ParameterSpec } from "../networks/index.ts";
import { adam } from "../optimizers/adam.ts";

/** How parameters are fitted: Adam on the gradient, and an average over the steps. */
export interface FitOptions {
  /** Updates. */
  readonly steps: number;
  /** η after the warm-up. */
  readonly learningRate: number;
  /** Steps over which η rises to it in equal parts; 0 for none. */
  readonly warmUp: number;
  /** Most that the norm of the whole gradient may be; a longer one is shortened to it. */
  readonly clip: number;
  /** Largest share that the average keeps of itself in a step. */
  readonly ema: number;
}

/** What is minimized. */
export interface Problem {
  /** Names in messages. */
  readonly name: string;
  /** Quantities that are averaged over steps for the curve, as names; the first is the loss. */
  readonly terms: readonly string[];
  /** State of its own before the first step. */
  readonly begin: Tree;
  /** Rolls the dice of a step. */
  draw(step: number, own: Tree): ProblemStep;
}

/** A step with its dice rolled. */
export interface ProblemStep {
  /** Scalar, differentiable in the parameters. */
  loss(parameters: Parameters): Tensor;
  /** What `terms` names, as constants, and the state afterwards; called after `loss`. */
  after(): { readonly terms: readonly Tensor[]; readonly own: Tree };
}

/** A fit after some steps: it goes on from there to the same bits. */
export type FitState = {
  /** Updates done. */
  readonly step: number;
  /** All fitted parameters, one after another. */
  readonly theta: Tensor;
  /** Their average. */
  readonly ema: Tensor;
  readonly adam: Tree;
  /** Of the terms since the curve's last point, [terms]. */
  readonly sums: Tensor;
  /** Means of the terms over each so many steps. */
  readonly curve: readonly (readonly number[])[];
  /** Of the problem. */
  readonly own: Tree;
};

/** Steps between points of a curve. */
export const curveEvery = 25;

/**
 * Share of itself that the average keeps in a step: (1 + s)/(10 + s) after s steps, at most `most`, so that a short
 * training is not an average with its random start.
 */
export const emaShare = (step: number, most: number): number => Math.min(most, (1 + step) / (10 + step));

/** The state before the first step, from initial values of the fitted parameters. */
export function fitStart(theta: Tensor, { terms, begin }: Pick<Problem, "terms" | "begin">): FitState {
  const { engine } = theta;
  return {
    step: 0,
    theta,
    ema: theta,
    adam: rule(1).init(theta),
    sums: engine.fill([terms.length], 0),
    curve: [],
    own: begin,
  };
}

const rule = (learningRate: number) =>
  adam({
    ...{ learningRate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, decoupled: false },
  });

/** η of a step. */
export function rateAt(
  step: number,
  { learningRate, warmUp }: Pick<FitOptions, "learningRate" | "warmUp">,
): number {
  return warmUp === 0 ? learningRate : learningRate * Math.min(1, (step + 1) / warmUp);
}

/**
 * Fits parameters by Adam (Kingma and Ba, ICLR 2015) with a warm-up of its rate, gradients of bounded norm, and an
 * exponential moving average. Yields the state after every step, whose tensors live until the next; returns the last one,
 * which is the caller's to free, as `start` remains. Abandoned early, it frees its own.
 *
 * @throws Divergence where a loss is not finite.
 */
export function* fit(
  start: FitState,
  problem: Problem,
  { packing, ...options }: FitOptions & { readonly packing: Packing },
): Generator<FitState, FitState> {
  const { engine } = start.theta;
  let state = start;
  let isDone = false;
  try {
    while (state.step < options.steps) {
      const next = engine.scope(() => updated(state, problem, { packing, ...options }));
      disposeExcept(state, [next, start]);
      state = next;
      yield state;
    }
    checkEnd(state, problem);
    isDone = true;
    return state;
  } finally {
    disposeExcept(state, isDone ? [state, start] : start);
  }
}

function updated(
  state: FitState,
  problem: Problem,
  options: FitOptions & { readonly packing: Packing },
): FitState {
  const { step, theta, ema } = state;
  const { packing, clip } = options;
  const { engine } = theta;
  const drawn = problem.draw(step, state.own);
  const parameters = packing.parameters(theta);
  const fitted = packing.fitted.map((place) => parameters[place]!);
  const { gradients } = engine.noGrad(() =>
    engine.gradients((...moving) => drawn.loss(packing.completed(parameters, moving)), fitted),
  );
  const gradient = flat(gradients);
  const norm = gradient.square().sum().sqrt();
  const shortened = gradient.mul(norm.maximum(clip).pow(-1).mul(clip));
  const moved = rule(rateAt(step, options)).update(theta, shortened, state.adam);
  const share = emaShare(step, options.ema);
  const { terms, own } = drawn.after();
  const sums = state.sums.add(engine.concat(terms.map((term) => term.reshape([1]))));
  const next = {
    step: step + 1,
    theta: moved.value,
    ema: ema.mul(share).add(moved.value.mul(1 - share)),
    adam: moved.state,
    ...{ sums, curve: state.curve, own },
  };
  return next.step % curveEvery === 0 ? withPoint(next, problem) : next;
}

/** The curve ends at the last whole point; what came after it must be as good. */
function checkEnd({ step, theta, ema, sums }: FitState, { name, terms }: Problem): void {
  const squared = theta.engine.scope(() => [theta, ema, sums].map((one) => one.square().sum().item()));
  if (squared.every(Number.isFinite)) return;
  throw new Divergence(
    `${name}: expected finite parameters and ${terms[0]} after step ${step}, got others; lower the learning rate, or ` +
      "lengthen its warm-up",
  );
}

/** The state with another point of the curve. */
function withPoint(state: FitState, { name, terms }: Problem): FitState {
  const means = Array.from(state.sums.values(), (sum) => sum / curveEvery);
  if (!means.every(Number.isFinite)) {
    const last = state.curve.at(-1);
    throw new Divergence(
      `${name}: expected a finite ${terms[0]}, got ${means[0]} at step ${state.step}` +
        (last ? `, after ${last[0]!.toPrecision(3)} ${curveEvery} steps before` : "") +
        "; lower the learning rate, or lengthen its warm-up",
    );
  }
  return { ...state, sums: state.sums.mul(0), curve: [...state.curve, means] };
}

/** Tensors of any shapes as one vector. */
export function flat(tensors: readonly Tensor[]): Tensor {
  return tensors[0]!.engine.concat(tensors.map((tensor) => tensor.reshape([sizeOf(tensor.shape)])));
}

/** How the fitted ones of a network's parameters lie in one vector; the others are constants. */
export interface Packing {
  /** Positions of the fitted parameters among all. */
  readonly fitted: readonly number[];
  /** All parameters, the fitted ones from a vector. */
  parameters(theta: Tensor): Tensor[];
  /** All parameters, with others in the places of the fitted ones. */
  completed(parameters: Parameters, fitted: readonly Tensor[]): Tensor[];
}

/**
 * @param others parameters that stay as they are in the places of those not fitted; of the others nothing is read.
 * @param isFitted says by a parameter's name whether it is fitted. Default: all are.
 */
export function packingOf(
  specs: readonly ParameterSpec[],
  others: Parameters = [],
  isFitted: (name: string) => boolean = () => true,
): Packing {
  const fitted = specs.flatMap(({ name }, place) => (isFitted(name) ? [place] : []));
  const completed = (parameters: Parameters, moving: readonly Tensor[]): Tensor[] => {
    const all = [...parameters];
    fitted.forEach((place, i) => (all[place] = moving[i]!));
    return all;
  };
  return {
    fitted,
    completed,
    parameters(theta) {
      const shapes = fitted.map((place) => specs[place]!.shape);
      return completed(others, unpacked(theta, shapes));
    },
  };
}

/** A vector as tensors of shapes, one after another. */
function unpacked(theta: Tensor, shapes: readonly Shape[]): Tensor[] {
  let begin = 0;
  return shapes.map((shape) => {
    const size = sizeOf(shape);
    const part = theta.slice([begin], [size]).reshape(shape);
    begin += size;
    return part;
  });
}

/** Curves as an array of a part, [points, terms]. */
export function curveArray(
  curve: FitState["curve"],
  terms: readonly string[],
): { readonly shape: Shape; readonly data: Float64Array } {
  return { shape: [curve.length, terms.length], data: Float64Array.from(curve.flat()) };
}

/** The points that `curveArray` wrote. */
export function curveOf({
  shape,
  data,
}: {
  readonly shape: Shape;
  readonly data: ArrayLike<number | bigint>;
}): number[][] {
  const [points, terms] = shape as [number, number];
  return Array.from({ length: points }, (_, i) =>
    Array.from({ length: terms }, (_, k) => Number(data[i * terms + k])),
  );
}

/** A vector of an engine from what a part holds. */
export function vectorOf(engine: Engine, { data }: { readonly data: ArrayLike<number | bigint> }): Tensor {
  return engine.tensor([data.length], data as ArrayLike<number>);
}
