import { check } from "../core/errors.ts";
import type { Shape } from "../core/shape.ts";
import type { Tensor } from "../engines/index.ts";

/** Gradient of a network's parameters: one tensor for each, of its shape. */
export type ParameterGradient = readonly Tensor[];

/** A function of a gradient, evaluated at one. */
export interface GradientMatch {
  /** Scalar. */
  readonly value: Tensor;
  /** ∂value/∂gradient. */
  readonly direction: ParameterGradient;
  /** The value without what was added to it, where something was. */
  readonly distance?: Tensor;
}

/** How far the gradient on synthetic images is from that on real ones. */
export interface GradientDistance {
  /** Scalar, differentiable in both gradients. */
  readonly value: (real: ParameterGradient, synthetic: ParameterGradient) => Tensor;
  /** The value with v = ∂value/∂synthetic in closed form: cheaper than differentiating it, and the same. */
  readonly match: (real: ParameterGradient, synthetic: ParameterGradient) => GradientMatch;
}

/** Added to the product of two norms, as in the authors' code; a cosine between gradients that vanish tends to 0. */
const EPSILON = 1e-6;

// Where a gradient vanishes its norm has no derivative; this makes it 0 there, as PyTorch does.
const SQUARED_FLOOR = 1e-30;

/**
 * Layerwise cosine distance of gradient matching (DC, Zhao, Mopuri & Bilen, ICLR 2021, with the epsilon of its code):
 *
 *     D = Σ_layers Σ_rows 1 − ⟨a, b⟩ / (‖a‖‖b‖ + 1e-6)
 *
 * over rows a, b of the synthetic and the real gradient. A row holds all weights that make one output channel; biases,
 * scales and shifts of channels count nothing. The value is a sum, from 0 to twice the number of rows.
 */
const ours: GradientDistance = {
  value: (real, synthetic) =>
    sum(rowPairs(real, synthetic).map(({ products }) => cosineDistance(products).sum())),
  match: (real, synthetic) => {
    const pairs = rowPairs(real, synthetic);
    const directions = new Map(pairs.map(({ a, b, products }) => [a, cosineSlope(products)(a, b)]));
    return {
      value: sum(pairs.map(({ products }) => cosineDistance(products).sum())),
      direction: synthetic.map((a) => directions.get(a) ?? a.engine.fill(a.shape, 0)),
    };
  },
};

/** Squared distance over all entries of all tensors, a sum: D = ‖a − b‖². */
const mse: GradientDistance = {
  value: (real, synthetic) => sum(checked(real, synthetic).map(({ a, b }) => a.sub(b).square().sum())),
  match: (real, synthetic) => {
    const differences = checked(real, synthetic).map(({ a, b }) => a.sub(b));
    return {
      value: sum(differences.map((difference) => difference.square().sum())),
      direction: differences.map((difference) => difference.mul(2)),
    };
  },
};

/** One cosine distance between all entries of all tensors: D = 1 − ⟨a, b⟩ / (‖a‖‖b‖ + 1e-6). */
const cos: GradientDistance = {
  value: (real, synthetic) => cosineDistance(totalProducts(checked(real, synthetic))),
  match: (real, synthetic) => {
    const pairs = checked(real, synthetic);
    const products = totalProducts(pairs);
    const slope = cosineSlope(products);
    return { value: cosineDistance(products), direction: pairs.map(({ a, b }) => slope(a, b)) };
  },
};

/** Gradient distances by the names that the authors' code gives them. */
export const gradientDistances = { ours, mse, cos };

/** Name of a distance of `gradientDistances`. */
export type GradientDistanceName = keyof typeof gradientDistances;

/** A tensor a of the synthetic gradient and its counterpart b of the real one. */
interface Pair {
  readonly a: Tensor;
  readonly b: Tensor;
}

/** ⟨a, b⟩, ‖a‖² and ‖b‖². */
interface Products {
  readonly ab: Tensor;
  readonly aa: Tensor;
  readonly bb: Tensor;
}

function checked(real: ParameterGradient, synthetic: ParameterGradient): Pair[] {
  const text = (gradient: ParameterGradient): string =>
    gradient.map(({ shape }) => `[${shape.join(", ")}]`).join(" ");
  check(
    text(real) === text(synthetic),
    () => `gradientDistance: expected equal shapes, got real ${text(real)} and synthetic ${text(synthetic)}`,
  );
  return synthetic.map((a, i) => ({ a, b: real[i]! }));
}

/** Tensors that have rows, with the products of those, of the tensors' rank. */
function rowPairs(
  real: ParameterGradient,
  synthetic: ParameterGradient,
): (Pair & { readonly products: Products })[] {
  return checked(real, synthetic)
    .filter(({ a }) => a.shape.length > 1)
    .map(({ a, b }) => {
      const within = withinRow(a.shape);
      const inner = (x: Tensor, y: Tensor): Tensor => x.mul(y).sum(within, true);
      return { a, b, products: { ab: inner(a, b), aa: inner(a, a), bb: inner(b, b) } };
    });
}

/** Axes within a row: all but the output channel's, which comes first in weights and last in layer norm's [h, w, c]. */
function withinRow({ length }: Shape): number[] {
  return length === 3 ? [0, 1] : Array.from({ length: length - 1 }, (_, i) => i + 1);
}

function totalProducts(pairs: readonly Pair[]): Products {
  const total = (product: (pair: Pair) => Tensor): Tensor => sum(pairs.map((pair) => product(pair).sum()));
  return {
    ab: total(({ a, b }) => a.mul(b)),
    aa: total(({ a }) => a.square()),
    bb: total(({ b }) => b.square()),
  };
}

const norm = (squared: Tensor): Tensor => squared.maximum(SQUARED_FLOOR).sqrt();

/** 1 − ⟨a, b⟩/q with q = ‖a‖‖b‖ + ε. */
function cosineDistance({ ab, aa, bb }: Products): Tensor {
  return ab
    .div(norm(aa).mul(norm(bb)).add(EPSILON))
    .neg()
    .add(1);
}

/** Its derivative in a: −b/q + (⟨a, b⟩‖b‖ / (q²‖a‖)) a. */
function cosineSlope({ ab, aa, bb }: Products): (a: Tensor, b: Tensor) => Tensor {
  const [lengthA, lengthB] = [norm(aa), norm(bb)];
  const q = lengthA.mul(lengthB).add(EPSILON);
  const along = ab.div(q).mul(lengthB).div(q.mul(lengthA));
  return (a, b) => a.mul(along).sub(b.div(q));
}

function sum(terms: readonly Tensor[]): Tensor {
  return terms.reduce((total, term) => total.add(term));
}
