import { normalDensity, normalTail } from "../../src/theory/normalLaw.ts";
import { eachNode, gaussLegendre, panels } from "../../src/theory/quadrature.ts";
import type { MarginWindow } from "../../src/theory/pruning.ts";

const RULE = gaussLegendre(32);

function integral(edges: readonly number[], f: (x: number) => number): number {
  let sum = 0;
  eachNode(edges, RULE, (x, weight) => {
    sum += weight * f(x);
  });
  return sum;
}

const steps = (from: number, to: number, count: number): number[] =>
  panels(
    from,
    to,
    Array.from({ length: count - 1 }, (_, i) => from + ((to - from) * (i + 1)) / count),
  );

/** A student as the papers have it. */
export interface Student {
  /** R. */
  readonly overlap: number;
  /** ρ. */
  readonly probeOverlap: number;
  /** κ. */
  readonly margin: number;
}

/**
 * The two equations of a perfect probe as printed (Sorscher et al. 2022, appendix), integrals over t = y J·x; α = α_prune:
 *
 *     R      = 2α/(f √(2π) √(1−R²)) ∫_{−∞}^κ Dt (κ − t) [e^{−(a−Rt)²/2(1−R²)} − e^{−(b−Rt)²/2(1−R²)}]
 *     1 − R² = 2α/f ∫_{−∞}^κ Dt (κ − t)² [H((a−Rt)/√(1−R²)) − H((b−Rt)/√(1−R²))]
 *
 * The right sides.
 */
export function printedPerfect(
  { overlap: R, margin }: Pick<Student, "overlap" | "margin">,
  examples: number,
  { low, high }: MarginWindow,
): [first: number, second: number] {
  const sigma = Math.sqrt(1 - R * R);
  const edges = steps(Math.min(margin, 0) - 12, margin, 60);
  const between = (f: (x: number) => number, t: number): number =>
    f((low - R * t) / sigma) - (high === Infinity ? 0 : f((high - R * t) / sigma));
  return [
    ((2 * examples) / sigma) *
      integral(edges, (t) => normalDensity(t) * (margin - t) * between(normalDensity, t)),
    2 * examples * integral(edges, (t) => normalDensity(t) * (margin - t) ** 2 * between(normalTail, t)),
  ];
}

/** What is kept, as the papers have it. */
export interface PrintedPruning {
  readonly theta: number;
  /** α_prune = f α_tot. */
  readonly kept: number;
  readonly fraction: number;
  readonly window: MarginWindow;
}

/**
 * Right side less left of the three equations of an imperfect probe as printed (Sorscher et al. 2022, appendix):
 * ⟨·⟩ is over z of density φ(z)/f on the window, of both signs; n(t|z) is the normal law of mean ρz and variance 1 − ρ².
 *
 *     (R − ρ cos θ)/sin²θ               = α/(πΛ) ⟨∫ dt e^{−Δ/2Λ²} (κ − t)⟩
 *     1 − (ρ² + R² − 2ρR cos θ)/sin²θ   = 2α ⟨∫ dt n H(Γ/(√(1−ρ²)Λ)) (κ − t)²⟩
 *     (ρ − R cos θ)/sin²θ               = 2α ⟨∫ dt [n H(…)(z − ρt)/(1−ρ²) + e^{−Δ/2Λ²}(ρR − cos θ)/(2πΛ(1−ρ²))] (κ − t)⟩
 */
export function printedImperfect(
  { overlap: R, probeOverlap: rho, margin: kappa }: Student,
  { theta, kept, fraction, window: { low, high } }: PrintedPruning,
): [number, number, number] {
  const [cos, sin2] = [Math.cos(theta), Math.sin(theta) ** 2];
  const Lambda = Math.sqrt(sin2 - R * R - rho * rho + 2 * rho * R * cos);
  const s = Math.sqrt(1 - rho * rho);
  const sums = [0, 0, 0] as [number, number, number];
  const overT = (z: number, weight: number): void => {
    const mass = (weight * normalDensity(z)) / fraction;
    const edges = steps(Math.min(rho * z, kappa) - 10 * s, kappa, 12);
    eachNode(edges, RULE, (t, own) => {
      const Gamma = z * (rho * R - cos) - t * (R - rho * cos);
      const Delta =
        z * z * (rho * rho + cos * cos - 2 * rho * R * cos) + 2 * t * z * (R * cos - rho) + t * t * sin2;
      const n = normalDensity((t - rho * z) / s) / s;
      const h = normalTail(Gamma / (s * Lambda));
      const e = Math.exp(-Delta / (2 * Lambda * Lambda));
      const short = mass * own * (kappa - t);
      sums[0] += short * e;
      sums[1] += short * n * h * (kappa - t);
      sums[2] +=
        short * ((n * h * (z - rho * t)) / (s * s) + (e * (rho * R - cos)) / (2 * Math.PI * Lambda * s * s));
    });
  };
  const end = Math.min(high, 9);
  eachNode(steps(low, end, 5), RULE, overT);
  eachNode(steps(-end, -low, 5), RULE, overT);
  return [
    (kept / (Math.PI * Lambda)) * sums[0] - (R - rho * cos) / sin2,
    2 * kept * sums[1] - (1 - (rho * rho + R * R - 2 * rho * R * cos) / sin2),
    2 * kept * sums[2] - (rho - R * cos) / sin2,
  ];
}
