import { check } from "../core/errors.ts";
import { fourierTransform } from "../core/fourier.ts";
import { type ImageShape, sizeOf } from "../core/shape.ts";

/**
 * Frequencies (u, v) of an h × w image by their distance from 0, in cycles per longer edge N = max(h, w), rounded:
 *
 *     k = round( N √((u/w)² + (v/h)²) ),   u in (−w/2, w/2],  v in (−h/2, h/2]
 *
 * @returns k of each (v, u), row-major [h, w].
 */
function rings(height: number, width: number): Int32Array {
  const edge = Math.max(height, width);
  const signed = (index: number, size: number): number => Math.min(index, size - index) / size;
  return Int32Array.from({ length: height * width }, (_, at) => {
    const [v, u] = [signed(Math.floor(at / width), height), signed(at % width, width)];
    return Math.round(edge * Math.hypot(u, v));
  });
}

/** How many frequencies of an h × w image are k cycles per longer edge from 0, for k = 0, 1, … */
export function ringSizes(height: number, width: number): number[] {
  const ring = rings(height, width);
  const sizes = new Array<number>(ring.reduce((a, b) => Math.max(a, b)) + 1).fill(0);
  for (const k of ring) sizes[k]!++;
  return sizes;
}

/**
 * Radially averaged power spectrum, the mean over images, channels and all frequencies (u, v) at distance k from 0:
 *
 *     P(k) = ⟨ |F(u, v)|² / (h w) ⟩,   F(u, v) = Σ_{x,y} f(x, y) exp(−2πi (ux/w + vy/h))
 *
 * White noise of variance σ² has P(k) = σ² at every k, whatever the size; and by Parseval's theorem Σ_k P(k) ringSizes(k)
 * is the mean of Σ f² over images and channels.
 *
 * @param images pixels in [0, 1], where they do not go beyond, [n, height, width, channels].
 * @returns P(0), P(1), …, up to the corner of the frequencies; N/2 is the finest grating along an edge.
 * @throws InputError for no image, or values that are no whole number of images.
 */
export function powerSpectrum(images: ArrayLike<number>, shape: ImageShape): number[] {
  const [height, width, channels] = shape;
  const size = sizeOf(shape);
  check(
    images.length > 0 && images.length % size === 0,
    () => `powerSpectrum: expected images of ${size} values each, at least one, got ${images.length} values`,
  );
  const ring = rings(height, width);
  const sizes = ringSizes(height, width);
  const power = sizes.map(() => 0);
  const transform = imageTransform(height, width);
  const re = new Float64Array(height * width);
  const im = new Float64Array(height * width);
  const planes = (images.length / size) * channels;
  for (let plane = 0; plane < planes; plane++) {
    const start = Math.floor(plane / channels) * size + (plane % channels);
    for (let at = 0; at < re.length; at++) re[at] = images[start + at * channels]!;
    im.fill(0);
    transform(re, im);
    for (let at = 0; at < re.length; at++) power[ring[at]!]! += re[at]! ** 2 + im[at]! ** 2;
  }
  return power.map((sum, k) => (sizes[k]! === 0 ? 0 : sum / (planes * sizes[k]! * height * width)));
}

/**
 * High-frequency energy of an image: what is left of Σ f², by Parseval's theorem, once all frequencies up to half of the
 * finest grating's are taken out,
 *
 *     E = Σ_{k > N/4} P(k) ringSizes(k),   N = max(h, w)
 *
 * That of synthetic images over that of real ones is their high-frequency energy ratio: above 1 where they are noisier than
 * real images, below 1 where they are smoother.
 *
 * @param spectrum P(0), P(1), …, as `powerSpectrum` gives it.
 * @returns mean over images and channels, in squared pixels.
 */
export function highFrequencyEnergy(
  spectrum: readonly number[],
  [height, width]: readonly [height: number, width: number],
): number {
  const limit = Math.max(height, width) / 4;
  return ringSizes(height, width).reduce(
    (sum, size, k) => (k > limit ? sum + size * (spectrum[k] ?? 0) : sum),
    0,
  );
}

/** Two-dimensional transform in place, of [height, width]: of all rows, then of all columns. */
function imageTransform(height: number, width: number): (re: Float64Array, im: Float64Array) => void {
  const ofRow = fourierTransform(width);
  const ofColumn = fourierTransform(height);
  const columnRe = new Float64Array(height);
  const columnIm = new Float64Array(height);
  return (re, im) => {
    for (let y = 0; y < height; y++) {
      ofRow(re.subarray(y * width, (y + 1) * width), im.subarray(y * width, (y + 1) * width));
    }
    for (let x = 0; x < width; x++) {
      for (let y = 0; y < height; y++) {
        columnRe[y] = re[y * width + x]!;
        columnIm[y] = im[y * width + x]!;
      }
      ofColumn(columnRe, columnIm);
      for (let y = 0; y < height; y++) {
        re[y * width + x] = columnRe[y]!;
        im[y * width + x] = columnIm[y]!;
      }
    }
  };
}
