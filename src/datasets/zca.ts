import { check } from "../core/errors.ts";
import { sizeOf } from "../core/shape.ts";
import type { Engine } from "../engines/index.ts";
import { countOf, type Dataset } from "./dataset.ts";
import { rootsByEigenvalues, rootsByNewtonSchulz, usualIterations } from "./matrixRoots.ts";
import { asPixels, batchesOf, batchOf, rowsOfImages, type Whitening } from "./whitening.ts";

/** ε, added to the variances: that of the published methods, for pixels on the scale of byte/255. */
export const zcaEpsilon = 0.1;

/** Up to so many values of an image, eigenvalues take less than a second; of 512 they take four, and time grows as d³. */
const MOST_BY_EIGENVALUES = 256;

/** Most values of an image whose two matrices files hold, 2 GiB together: 73×73 in color. */
const MOST_VALUES = 16_384;

/** Of values between black and white it is 1/2 at most; beyond ten of it, ε is none to speak of. */
const MOST_DEVIATION = 5;

/** How a whitening is fitted. */
export interface ZcaOptions {
  /** Images of up to so many values take the road over eigenvalues, larger ones that over matrix products. Default 256. */
  readonly mostByEigenvalues?: number;
}

/**
 * Fits ZCA whitening on the images of a data set, as the methods of trajectory matching do (Kornia's `ZCAWhitening`):
 *
 *     μ = mean of x,   Σ = 1/(n − 1) Σᵢ (xᵢ − μ)ᵀ(xᵢ − μ),   matrix = (Σ + εI)^(−1/2),   inverse = (Σ + εI)^(1/2)
 *
 * of pixels x on the scale of byte/255, by no mean and deviation of channels, with ε = 0.1. Whitened images of the fit have
 * the covariance Σ(Σ + εI)⁻¹. Small images go by eigenvalues in float64, others by Newton–Schulz on the engine.
 *
 * @param dataset at least 2 images.
 * @returns after it has yielded the share that is done, 0 to 1, now and then; `finished` runs it to its end.
 * @throws InputError for fewer images, for images too large, for whitened ones, and for values on another scale.
 */
export function* zcaWhitening(
  dataset: Dataset,
  engine: Engine,
  { mostByEigenvalues = MOST_BY_EIGENVALUES }: ZcaOptions = {},
): Generator<number, Whitening> {
  const [n, d] = [countOf(dataset), sizeOf(dataset.imageShape)];
  check(n > 1, () => `zca: expected at least 2 images in ${dataset.name}, got ${n}`);
  check(
    d <= MOST_VALUES,
    () =>
      `zca: expected images of at most ${MOST_VALUES} values, got ${dataset.imageShape.join("×")} = ${d}, whose two matrices ` +
      `would take ${((8 * d * d) / 2 ** 30).toFixed(0)} GiB; leave zca out, or take smaller images`,
  );
  const raw = asPixels(dataset);
  const mean = meanOf(raw);
  const byEigenvalues = d <= mostByEigenvalues;
  // By multiplications: n·d² for the covariance, three products of d³ in each iteration.
  const share = byEigenvalues ? 1 : n / (n + 3 * usualIterations * d);
  const covariance = within(0, share, covarianceOf(raw, mean, engine));
  const { root, inverseRoot } = byEigenvalues
    ? rootsByEigenvalues(yield* covariance, d)
    : // Nothing here keeps the covariance of float64 once it is on the engine: of large images it is gigabytes.
      yield* within(share, 1, rootsByNewtonSchulz(engine.tensor([d, d], yield* covariance)));
  return { mean, matrix: new Float32Array(inverseRoot), inverse: new Float32Array(root) };
}

/** The run's shares, 0 to 1, as those from `begin` to `end` of a larger work. */
function* within<T>(begin: number, end: number, run: Generator<number, T>): Generator<number, T> {
  try {
    let next = run.next();
    for (; !next.done; next = run.next()) yield begin + (end - begin) * next.value;
    return next.value;
  } finally {
    run.return(undefined as never); // frees what a run holds that is left early
  }
}

/** μ of pixels in [0, 1], summed in float64, channels first. */
function meanOf({ pixels, imageShape: [height, width, channels], labels }: Dataset): Float32Array {
  const d = height * width * channels;
  const sums = new Float64Array(d);
  for (let at = 0; at < pixels.length; at += d) for (let i = 0; i < d; i++) sums[i]! += pixels[at + i]!;
  const scale = labels.length * (pixels instanceof Uint8Array ? 255 : 1);
  const area = height * width;
  return Float32Array.from(
    { length: d },
    (_, i) => sums[(i % area) * channels + Math.floor(i / area)]! / scale,
  );
}

/** Σ + εI, [d, d] in float64: products of batches on the engine, their sum here. */
function* covarianceOf(raw: Dataset, mean: Float32Array, engine: Engine): Generator<number, Float64Array> {
  const [n, d] = [countOf(raw), mean.length];
  const sums = new Float64Array(d * d);
  const center = engine.tensor([d], mean);
  try {
    for (const positions of batchesOf(raw)) {
      const product = engine.scope(() => {
        const rows = rowsOfImages(batchOf(raw, positions, engine)).sub(center);
        return rows.transpose().matMul(rows).values();
      });
      for (let i = 0; i < sums.length; i++) sums[i]! += product[i]!;
      yield (positions.at(-1)! + 1) / n;
    }
  } finally {
    center.dispose();
  }
  for (let i = 0; i < sums.length; i++) sums[i]! /= n - 1;
  let trace = 0;
  for (let i = 0; i < d; i++) trace += sums[i * d + i]!;
  const deviation = Math.sqrt(trace / d);
  check(
    deviation <= MOST_DEVIATION,
    () =>
      `zca: expected pixels of ${raw.name} on a scale where black is 0 and white 1, got a standard deviation of ` +
      `${deviation.toPrecision(3)} around their means; divide bytes by 255`,
  );
  for (let i = 0; i < d; i++) sums[i * d + i]! += zcaEpsilon;
  return sums;
}
