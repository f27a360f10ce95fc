import { fourierTransform } from "../src/core/fourier.ts";
import type { Tensor } from "../src/engines/index.ts";
import type { SpectralLaw } from "./spectralLaw.ts";

/** An even function of a number: its value and first two derivatives. */
export type Profile = (t: number) => readonly [value: number, slope: number, curvature: number];

/** Points that the function is known at within a step of the table: between them, quintics are off by less than 1e-12. */
const POINTS = 64;

/**
 * Characteristic function E cos(ωt) of a spectral law, with t in steps of the table:
 *
 *     κ(t) = S(t) Σ_k m_k cos(ω_k t),   S(t) = sin(πt/N)/(πt/N)
 *
 * S comes from the width of the bins. At the table's points the sum is the table.
 */
export function profileOf(law: SpectralLaw): Profile {
  const period = (2 * Math.PI) / law.step;
  const at = tableOf(law, period);
  return (t) => {
    const place = Math.abs(t) % period;
    const mirrored = place > period / 2;
    const [value, slope, curvature] = at(mirrored ? period - place : place);
    const direction = (t < 0 ? -1 : 1) * (mirrored ? -1 : 1);
    const [s, s1, s2] = taper((Math.PI * t) / period, Math.PI / period);
    const c1 = direction * slope;
    return [s * value, s1 * value + s * c1, s2 * value + 2 * s1 * c1 + s * curvature];
  };
}

/** Σ m_k cos(ω_k t) and its derivatives for 0 ≤ t ≤ period/2, from a fine table by quintic Hermite interpolation. */
function tableOf({ step, masses }: SpectralLaw, period: number): Profile {
  const length = POINTS * period;
  const transform = fourierTransform(length);
  const total = masses.reduce((sum, mass) => sum + mass, 0);
  const sums = (power: number): [cosines: Float64Array, sines: Float64Array] => {
    const [re, im] = [new Float64Array(length), new Float64Array(length)];
    masses.forEach((mass, k) => (re[k] = (mass / total) * (k * step) ** power));
    transform(re, im);
    return [re.slice(0, length / 2 + 2), im.slice(0, length / 2 + 2)];
  };
  const [[f], [, g], [negativeH]] = [sums(0), sums(1), sums(2)];
  f[0] = 1; // what is left of rounding would show in products over thousands of coordinates
  const h = 1 / POINTS;
  return (t) => {
    const i = Math.min(Math.floor(t * POINTS), length / 2);
    return quintic(
      t * POINTS - i,
      h,
      [f[i]!, g[i]! * h, -negativeH[i]! * h * h],
      [f[i + 1]!, g[i + 1]! * h, -negativeH[i + 1]! * h * h],
    );
  };
}

type Jet = readonly [value: number, slope: number, curvature: number];

/** The quintic with given values, slopes and curvatures, in units of the step, at both ends; derivatives by t = h·x. */
function quintic(x: number, h: number, [f0, g0, c0]: Jet, [f1, g1, c1]: Jet): Jet {
  const [a, b, c] = [f1 - f0 - g0 - c0 / 2, g1 - g0 - c0, c1 - c0];
  const [p3, p4, p5] = [10 * a - 4 * b + c / 2, -15 * a + 7 * b - c, 6 * a - 3 * b + c / 2];
  const value = f0 + x * (g0 + x * (c0 / 2 + x * (p3 + x * (p4 + x * p5))));
  const slope = g0 + x * (c0 + x * (3 * p3 + x * (4 * p4 + x * 5 * p5)));
  const curvature = c0 + x * (6 * p3 + x * (12 * p4 + x * 20 * p5));
  return [value, slope / h, curvature / h ** 2];
}

/** sin(x)/x and its derivatives by t, with x = rate·t. */
function taper(x: number, rate: number): Jet {
  if (Math.abs(x) < 1e-2) {
    const square = x * x;
    return [
      1 - (square / 6) * (1 - square / 20),
      rate * x * (-1 / 3 + square / 30),
      rate ** 2 * (-1 / 3 + square / 10 - square ** 2 / 168),
    ];
  }
  const [sine, cosine] = [Math.sin(x), Math.cos(x)];
  const value = sine / x;
  const slope = (cosine - value) / x;
  return [value, rate * slope, rate ** 2 * (-value - (2 * slope) / x)];
}

/**
 * A profile of every element. It is computed on the host; derivatives up to the second are exact, higher ones are zero.
 */
export function elementwise(t: Tensor, profile: Profile): Tensor {
  const { engine, shape } = t;
  const at = t.detach();
  const points = at.values();
  const jets = [0, 1, 2].map(() => new Float64Array(points.length));
  points.forEach((point, i) => profile(point).forEach((part, order) => (jets[order]![i] = part)));
  const [value, slope, curvature] = jets.map((jet) => engine.tensor(shape, jet));
  const step = t.sub(at);
  return value!.add(slope!.mul(step)).add(curvature!.mul(step.square()).mul(0.5));
}
