import FFT from "fft.js";
import { wholeNumber } from "./errors.ts";

/** Transforms numbers in place, re + i·im. */
export type FourierTransform = (re: Float64Array, im: Float64Array) => void;

/**
 * Discrete Fourier transform of any length n:
 *
 *     F(u) = Σ_x f(x) exp(−2πi ux/n)
 *
 * Powers of two go by fft.js. Other lengths by Bluestein's algorithm (1970), exactly and without a change of n: since
 * ux = (u² + x² − (u − x)²)/2, F is a convolution with a chirp, and a convolution fits into a longer power of two.
 *
 * @param n at least 1. @throws InputError for no such number.
 */
export function fourierTransform(n: number): FourierTransform {
  wholeNumber("fourierTransform: n", n, 1);
  if (n === 1) return () => undefined;
  return Number.isInteger(Math.log2(n)) ? powerOfTwo(n) : bluestein(n);
}

/** What of fft.js is used; its own types are `any`. */
interface Plan {
  transform(out: Float64Array, interleaved: Float64Array): void;
}

function powerOfTwo(n: number): FourierTransform {
  const plan = new FFT(n) as Plan;
  const interleaved = new Float64Array(2 * n);
  const out = new Float64Array(2 * n);
  return (re, im) => {
    for (let x = 0; x < n; x++) {
      interleaved[2 * x] = re[x]!;
      interleaved[2 * x + 1] = im[x]!;
    }
    plan.transform(out, interleaved);
    for (let u = 0; u < n; u++) {
      re[u] = out[2 * u]!;
      im[u] = out[2 * u + 1]!;
    }
  };
}

function bluestein(n: number): FourierTransform {
  const length = 2 ** Math.ceil(Math.log2(2 * n - 1));
  const transform = powerOfTwo(length);
  // exp(−πi x²/n) has period 2n in x², and a small angle keeps its digits.
  const angles = Array.from({ length: n }, (_, x) => (-Math.PI * ((x * x) % (2 * n))) / n);
  const [cos, sin] = [angles.map(Math.cos), angles.map(Math.sin)];
  const chirpRe = new Float64Array(length);
  const chirpIm = new Float64Array(length);
  for (let x = 0; x < n; x++) {
    for (const at of [x, (length - x) % length]) {
      chirpRe[at] = cos[x]!;
      chirpIm[at] = -sin[x]!;
    }
  }
  transform(chirpRe, chirpIm);
  const aRe = new Float64Array(length);
  const aIm = new Float64Array(length);
  return (re, im) => {
    aRe.fill(0);
    aIm.fill(0);
    for (let x = 0; x < n; x++) {
      aRe[x] = re[x]! * cos[x]! - im[x]! * sin[x]!;
      aIm[x] = re[x]! * sin[x]! + im[x]! * cos[x]!;
    }
    transform(aRe, aIm);
    for (let k = 0; k < length; k++) {
      const product = aRe[k]! * chirpRe[k]! - aIm[k]! * chirpIm[k]!;
      aIm[k] = -(aRe[k]! * chirpIm[k]! + aIm[k]! * chirpRe[k]!); // conjugate: the inverse by the same transform
      aRe[k] = product;
    }
    transform(aRe, aIm);
    for (let u = 0; u < n; u++) {
      const [x, y] = [aRe[u]! / length, -aIm[u]! / length];
      re[u] = x * cos[u]! - y * sin[u]!;
      im[u] = x * sin[u]! + y * cos[u]!;
    }
  };
}
