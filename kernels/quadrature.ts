/** A rule of integration: ∫f ≈ Σᵢ weights[i]·f(nodes[i]). */
export interface Quadrature {
  readonly nodes: Float64Array;
  readonly weights: Float64Array;
}

/**
 * Gauss's rule on an interval, exact for polynomials of degree 2n − 1. Nodes are roots of the Legendre polynomial, found by
 * Newton's method from cos(π(i + ¾)/(n + ½)).
 *
 * @param n nodes, ≥ 1.
 */
export function gaussLegendre(n: number, begin: number, end: number): Quadrature {
  const nodes = new Float64Array(n);
  const weights = new Float64Array(n);
  const [middle, half] = [(begin + end) / 2, (end - begin) / 2];
  for (let i = 0; i < n; i++) {
    let x = Math.cos((Math.PI * (i + 0.75)) / (n + 0.5));
    let slope = 1;
    for (let step = 0; step < 100; step++) {
      const [value, before] = legendre(n, x);
      slope = (n * (x * value - before)) / (x * x - 1);
      const change = value / slope;
      x -= change;
      if (Math.abs(change) < 1e-15) break;
    }
    nodes[i] = middle - half * x;
    weights[i] = (2 * half) / ((1 - x * x) * slope * slope);
  }
  return { nodes, weights };
}

/** Legendre polynomials of degree n and n − 1 at x, by their recurrence. */
function legendre(n: number, x: number): [value: number, before: number] {
  let [before, value] = [1, x];
  for (let k = 2; k <= n; k++) [before, value] = [value, ((2 * k - 1) * x * value - (k - 1) * before) / k];
  return [value, before];
}
