import { seeded } from "../../src/core/rng.ts";
import { sizeOf, type Shape } from "../../src/core/shape.ts";
import type { Engine, Tensor } from "../../src/engines/index.ts";
import { expectClose, tolerance } from "./close.ts";

/** Host values of one input. */
export interface Point {
  readonly shape: Shape;
  readonly values: Float64Array;
}

/** A tensor function, of any shape of result. */
export type TensorFunction = (...inputs: Tensor[]) => Tensor;

/**
 * First-order gradients of a scalar made of the function's result, and the gradients of a linear function of those: the
 * second order along a direction. The scalar is not linear, so that linear functions have a second order to check too.
 */
export interface Derivatives {
  readonly first: Float64Array[];
  readonly second: Float64Array[];
}

/** All elements different and none zero, evenly spread over [low, high] in a random order: far from kinks. */
export function spreadPoint(shape: Shape, [low, high]: readonly [number, number], seed: number): Point {
  const order = seeded(seed).permutation(sizeOf(shape));
  const width = (high - low) / order.length;
  return { shape, values: Float64Array.from(order, (place) => low + width * (place + 0.47)) };
}

/**
 * Compares autodiff of both orders with central differences, or, in float32, where differences cannot be small, with
 * autodiff of a float64 engine that has passed the comparison itself.
 *
 * @param exact the float64 engine, where there is one.
 */
export function expectGradient(
  engine: Engine,
  f: TensorFunction,
  at: readonly Point[],
  exact?: Engine,
): void {
  const { first, second } = derivatives(engine, f, at);
  const reference = engine.dtype === "float32" && exact !== undefined;
  const expected = reference ? derivatives(exact, f, at) : differences(engine, f, at);
  const bound = reference
    ? tolerance("float32", "gradients")
    : engine.dtype === "float64"
      ? differenceBound.float64
      : differenceBound.float32;
  at.forEach((_, i) => {
    expectClose(first[i]!, expected.first[i]!, bound);
    expectClose(second[i]!, expected.second[i]!, bound);
  });
}

/** Step of the central differences: truncation (step²) and rounding (ε/step) of about the same size. */
const step = { float64: 1e-5, float32: 2e-2 };
const differenceBound = { float64: 1e-8, float32: 2e-2 };

/** Autodiff at a point. */
export function derivatives(engine: Engine, f: TensorFunction, at: readonly Point[]): Derivatives {
  return engine.scope(() => {
    const inputs = tensorsAt(engine, at);
    const host = ({ gradients }: { gradients: readonly Tensor[] }): Float64Array[] =>
      gradients.map((gradient) => Float64Array.from(gradient.values()));
    return {
      first: host(engine.gradients((...x) => curved(f(...x)), inputs)),
      second: host(engine.gradients((...x) => slope(engine, f, x), inputs)),
    };
  });
}

/** Central differences of the value, and of the first-order gradient's linear function. */
function differences(engine: Engine, f: TensorFunction, at: readonly Point[]): Derivatives {
  const value = (points: readonly Point[]): number =>
    engine.scope(() => curved(f(...tensorsAt(engine, points))).item());
  const gradient = (points: readonly Point[]): number =>
    engine.scope(() => slope(engine, f, tensorsAt(engine, points)).item());
  const partials = (g: (points: readonly Point[]) => number): Float64Array[] =>
    at.map((_, i) => partial(g, at, i, step[engine.dtype]));
  return { first: partials(value), second: partials(gradient) };
}

function partial(
  g: (points: readonly Point[]) => number,
  at: readonly Point[],
  which: number,
  h: number,
): Float64Array {
  return at[which]!.values.map((_, element) => {
    const moved = (by: number): number =>
      g(
        at.map(({ shape, values }, i) => ({
          shape,
          values: i === which ? values.map((value, j) => (j === element ? value + by : value)) : values,
        })),
      );
    return (moved(h) - moved(-h)) / (2 * h);
  });
}

/** Σ_i ⟨c_i, ∂(curved f)/∂x_i⟩ for fixed c. */
function slope(engine: Engine, f: TensorFunction, inputs: readonly Tensor[]): Tensor {
  const { gradients } = engine.gradients((...x) => curved(f(...x)), inputs);
  return gradients.map((gradient, i) => weighted(gradient, 2 + i)).reduce((a, b) => a.add(b));
}

/** ⟨c, y + y²/2⟩ for fixed c. */
function curved(y: Tensor): Tensor {
  return weighted(y.add(y.square().mul(0.5)), 1);
}

/** A scalar in which every element counts, each with another weight. */
function weighted(x: Tensor, seed: number): Tensor {
  const weights = seeded(seed).fillUniform(new Float64Array(sizeOf(x.shape)), 0.5, 1.5);
  return x.mul(x.engine.tensor(x.shape, weights)).sum();
}

function tensorsAt(engine: Engine, at: readonly Point[]): Tensor[] {
  return at.map(({ shape, values }) => engine.tensor(shape, values));
}
