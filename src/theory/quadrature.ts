import { wholeNumber } from "../core/errors.ts";

/** Places and weights of a quadrature rule on [−1, 1]: ∫f ≈ Σ wᵢ f(xᵢ). */
export interface Rule {
  /** Ascending, [n]. */
  readonly nodes: Float64Array;
  /** [n]; their sum is 2. */
  readonly weights: Float64Array;
}

const known = new Map<number, Rule>();

/**
 * The rule of Gauss and Legendre, exact for polynomials of degree 2n − 1: nodes are the roots of the Legendre polynomial
 * Pₙ, weights 2/((1 − x²) Pₙ′(x)²) (Abramowitz and Stegun 25.4.29).
 *
 * @param count n, at least 1.
 */
export function gaussLegendre(count: number): Rule {
  const before = known.get(count);
  if (before) return before;
  wholeNumber("gaussLegendre", count, 1);
  const nodes = new Float64Array(count);
  const weights = new Float64Array(count);
  for (let i = 0; i < Math.ceil(count / 2); i++) {
    const { root, slope } = legendreRoot(count, Math.cos((Math.PI * (i + 0.75)) / (count + 0.5)));
    nodes[count - 1 - i] = root;
    nodes[i] = -root;
    weights[i] = weights[count - 1 - i] = 2 / ((1 - root * root) * slope * slope);
  }
  const rule = { nodes, weights };
  known.set(count, rule);
  return rule;
}

/** The root of Pₙ nearest to `near`, and the slope there, by Newton's method. */
function legendreRoot(n: number, near: number): { readonly root: number; readonly slope: number } {
  let x = near;
  for (;;) {
    let [value, previous] = [x, 1];
    for (let k = 2; k <= n; k++) {
      [value, previous] = [((2 * k - 1) * x * value - (k - 1) * previous) / k, value];
    }
    const slope = (n * (x * value - previous)) / (x * x - 1);
    const step = value / slope;
    if (Math.abs(step) < 1e-15) return { root: x, slope };
    x -= step;
  }
}

/** Ends of the panels from `from` to `to` that the breaks between them make, ascending; none where there is nothing. */
export function panels(from: number, to: number, breaks: readonly number[]): number[] {
  if (!(from < to)) return [];
  const inner = breaks.filter((x) => x > from && x < to).sort((a, b) => a - b);
  return [from, ...inner, to];
}

/** Calls `visit` with every place and weight of a rule on each panel; in this order, panels left to right. */
export function eachNode(
  edges: readonly number[],
  { nodes, weights }: Rule,
  visit: (x: number, weight: number) => void,
): void {
  for (let panel = 0; panel + 1 < edges.length; panel++) {
    const half = (edges[panel + 1]! - edges[panel]!) / 2;
    const middle = (edges[panel + 1]! + edges[panel]!) / 2;
    for (let i = 0; i < nodes.length; i++) visit(middle + half * nodes[i]!, half * weights[i]!);
  }
}
