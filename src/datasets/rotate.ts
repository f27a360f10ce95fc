/** One channel of an image on the host, row-major. */
export interface Plane {
  readonly values: Float64Array;
  readonly height: number;
  readonly width: number;
}

/**
 * A plane turned about its center, and cut to its size: interpolated by a cubic B-spline through its pixels, as SciPy's
 * `ndimage.rotate` does by default. With the rotation R by the angle φ, output position p shows the input at
 *
 *     R (p − c′) + c,   R = [[cos φ, sin φ], [−sin φ, cos φ]]   (row, column),
 *
 * where c is the center of the plane, and c′ that of the turned one, which is as large as the box around it, in whole pixels.
 *
 * @param degrees φ. @param fill what is shown of the outside.
 * @returns values of the turned plane, height · width.
 */
export function rotated(plane: Plane, degrees: number, fill: number): Float64Array {
  const { height, width } = plane;
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const coefficients = splineCoefficients(plane);
  const rowCenter = middleOfCut(height, height * Math.abs(cos) + width * Math.abs(sin));
  const columnCenter = middleOfCut(width, height * Math.abs(sin) + width * Math.abs(cos));
  const turned = new Float64Array(height * width).fill(fill);
  const [rows, columns] = [tapsAlong(height), tapsAlong(width)];
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const [down, right] = [i - rowCenter, j - columnCenter];
      const row = cos * down + sin * right + (height - 1) / 2;
      const column = -sin * down + cos * right + (width - 1) / 2;
      if (row < 0 || row > height - 1 || column < 0 || column > width - 1) continue;
      moveTo(rows, row);
      moveTo(columns, column);
      turned[i * width + j] = tensorProduct(coefficients, width, rows, columns);
    }
  }
  return turned;
}

/** The center of a turned side of some extent, seen from the first pixel that is cut out of it. */
function middleOfCut(side: number, extent: number): number {
  const turned = Math.floor(extent + 0.5);
  return (turned - 1) / 2 - Math.floor((turned - side) / 2);
}

/** Four neighboring coefficients along an axis, and their weights. */
interface Taps {
  readonly at: Int32Array;
  readonly weights: Float64Array;
  /** Places of the coefficients one before the first to two behind the last: what is outside is mirrored at these. */
  readonly mirrored: Int32Array;
}

function tapsAlong(length: number): Taps {
  const period = Math.max(1, 2 * (length - 1));
  const mirrored = Int32Array.from({ length: length + 3 }, (_, k) => {
    const inside = (k - 1 + period) % period;
    return Math.min(inside, period - inside, length - 1);
  });
  return { at: new Int32Array(4), weights: new Float64Array(4), mirrored };
}

/** Turns taps to a position from 0 to length − 1. */
function moveTo({ at, weights, mirrored }: Taps, position: number): void {
  const first = Math.floor(position);
  const t = position - first;
  const u = 1 - t;
  weights[0] = (u * u * u) / 6;
  weights[1] = 2 / 3 - (t * t * (2 - t)) / 2;
  weights[2] = 2 / 3 - (u * u * (2 - u)) / 2;
  weights[3] = (t * t * t) / 6;
  for (let k = 0; k < 4; k++) at[k] = mirrored[first + k]!;
}

function tensorProduct(coefficients: Float64Array, width: number, rows: Taps, columns: Taps): number {
  let sum = 0;
  for (let k = 0; k < 4; k++) {
    const begin = rows.at[k]! * width;
    let along = 0;
    for (let l = 0; l < 4; l++) along += columns.weights[l]! * coefficients[begin + columns.at[l]!]!;
    sum += rows.weights[k]! * along;
  }
  return sum;
}

/** Root of z² + 4z + 1 within the unit circle: the pole of the filter that inverts a cubic B-spline's values at whole numbers. */
const POLE = Math.sqrt(3) - 2;
/** (1 − z)(1 − 1/z), by which the filter leaves a constant as it is. */
const GAIN = 6;

/** Coefficients of the cubic B-spline that goes through the pixels of a plane, mirrored at its borders. */
function splineCoefficients({ values, height, width }: Plane): Float64Array {
  const coefficients = Float64Array.from(values);
  for (let i = 0; i < height; i++) filter(coefficients, i * width, 1, width);
  for (let j = 0; j < width; j++) filter(coefficients, j, width, height);
  return coefficients;
}

/** The recursive filter along `length` entries, `stride` apart (Unser, Aldroubi, Eden 1993): once forth, once back. */
function filter(c: Float64Array, begin: number, stride: number, length: number): void {
  if (length === 1) return;
  const at = (k: number): number => begin + k * stride;
  // All mirror images of the first entry, in closed form: the signal repeats after 2 (length − 1).
  let start = c[at(0)]! + POLE ** (length - 1) * c[at(length - 1)]!;
  let [left, right] = [POLE, POLE ** (2 * length - 3)];
  for (let k = 1; k < length - 1; k++, left *= POLE, right /= POLE) start += (left + right) * c[at(k)]!;
  c[at(0)] = (GAIN * start) / (1 - POLE ** (2 * length - 2));
  for (let k = 1; k < length; k++) c[at(k)] = GAIN * c[at(k)]! + POLE * c[at(k - 1)]!;
  const last = at(length - 1);
  c[last] = ((POLE * c[at(length - 2)]! + c[last]!) * POLE) / (POLE ** 2 - 1);
  for (let k = length - 2; k >= 0; k--) c[at(k)] = POLE * (c[at(k + 1)]! - c[at(k)]!);
}
