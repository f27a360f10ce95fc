import { logGamma } from "../../kernels/maternMixture.ts";

/**
 * Modified Bessel function of the second kind by its integral, K_ν(s) = ∫₀^∞ exp(−s cosh t) cosh(νt) dt:
 * the trapezoidal rule, whose error on this integrand falls faster than any power of the step.
 */
export function bessel(nu: number, s: number): number {
  return Math.exp(logBessel(nu, s));
}

/** 2^(1−ν)/Γ(ν) · s^ν K_ν(s) */
export function maternByBessel(nu: number, s: number): number {
  return Math.exp((1 - nu) * Math.LN2 - logGamma(nu) + nu * Math.log(s) + logBessel(nu, s));
}

/** ln K_ν(s), summed relative to the integrand's largest value: for ν = 100 neither end fits a double. */
function logBessel(nu: number, s: number): number {
  const step = 0.01;
  const exponent = (t: number): number => nu * t - s * Math.cosh(t);
  const top = exponent(Math.asinh(nu / s));
  let sum = (Math.exp(exponent(0) - top) * step) / 2;
  for (let t = step; t < 60; t += step) {
    sum += ((Math.exp(exponent(t) - top) + Math.exp(exponent(t) - 2 * nu * t - top)) / 2) * step;
  }
  return top + Math.log(sum);
}
