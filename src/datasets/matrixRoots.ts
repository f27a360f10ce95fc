import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { InputError } from "../core/errors.ts";
import { disposeExcept, type Engine, type Tensor, type Values } from "../engines/index.ts";

/** Square roots of a symmetric positive definite matrix A, [d, d] row-major. */
export interface MatrixRoots {
  /** A^(1/2). */
  readonly root: Values;
  /** A^(−1/2). */
  readonly inverseRoot: Values;
}

/**
 * Both roots by the eigenvalues, in float64 and without an engine: A = U diag(s) Uᵀ has A^(±1/2) = U diag(s^(±1/2)) Uᵀ.
 *
 * @param matrix [d, d] row-major. @throws InputError where an eigenvalue is not above 0.
 */
export function rootsByEigenvalues(matrix: ArrayLike<number>, d: number): MatrixRoots {
  const rows = Array.from({ length: d }, (_, i) => Array.from({ length: d }, (_, j) => matrix[i * d + j]!));
  const { realEigenvalues: eigenvalues, eigenvectorMatrix: vectors } = new EigenvalueDecomposition(
    new Matrix(rows),
    { assumeSymmetric: true },
  );
  const least = Math.min(...eigenvalues);
  if (!(least > 0)) throw new InputError(`matrix roots: expected eigenvalues above 0, got ${least}`);
  const rootsTo = (exponent: number): Float64Array => {
    const scaled = vectors.clone();
    scaled.mulRowVector(eigenvalues.map((value) => value ** exponent));
    return Float64Array.from(scaled.mmul(vectors.transpose()).to1DArray());
  };
  return { root: rootsTo(0.5), inverseRoot: rootsTo(-0.5) };
}

/** Iterations after which it has not converged; a condition of 10⁷, the most that float32 can tell, takes 25. */
const MOST_ITERATIONS = 40;
/** What it takes for a condition of some hundreds, as that of natural images with ε = 0.1: to say how far it is. */
export const usualIterations = 14;
/** ‖I − ZY‖ in float32 and float64 at which one more iteration, which squares it, ends at the rounding of the type. */
const NEAR = { float32: 3e-4, float64: 1e-8 } as const;
/** The same that is accepted where rounding keeps it from falling further. */
const ACCEPTED = 1e-2;

/**
 * Both roots by the coupled iteration of Newton and Schulz (Higham, "Functions of Matrices", 2008, section 6.7), which takes
 * matrix products alone and so runs on any engine. With A' = A/‖A‖_F, Y = A' and Z = I:
 *
 *     P = ½(3I − ZY),   Y ← YP,   Z ← PZ,   until ZY = I:   A^(1/2) = √‖A‖_F · Y,   A^(−1/2) = Z/√‖A‖_F
 *
 * An eigenvalue λ of A' comes to 1 in about log(1/λ)/log(9/4) iterations, and quadratically from there. Six matrices of
 * A's size are alive at most.
 *
 * @param matrix A, [d, d]; it is freed.
 * @returns after it has yielded about what share is done, the roots in the engine's type and the number of iterations.
 * @throws InputError where it does not converge: A is not positive definite, or its condition is beyond the type.
 */
export function* rootsByNewtonSchulz(
  matrix: Tensor,
): Generator<number, MatrixRoots & { readonly iterations: number }> {
  const { engine } = matrix;
  const [d] = matrix.shape as [number, number];
  const near = NEAR[engine.dtype];
  const one = engine.scope(() => identity(engine, d));
  const norm = engine.scope(() => matrix.square().sum().sqrt().item());
  let pair: Pair = { y: engine.scope(() => matrix.div(norm)), z: engine.scope(() => one.add(0)) };
  matrix.dispose();
  try {
    let before = Infinity;
    for (let iterations = 1; iterations <= MOST_ITERATIONS; iterations++) {
      const { distance, ...next } = engine.scope(() => newtonSchulzStep(pair, one));
      disposeExcept(pair, null);
      pair = next;
      yield Math.min(1, iterations / usualIterations);
      // Near the limit the distance is squared until rounding stops that; NaN is neither.
      if (distance <= near || (distance <= ACCEPTED && distance > before / 2)) {
        return { ...rescaled(pair, norm), iterations };
      }
      before = distance;
    }
  } finally {
    disposeExcept([pair, one], null);
  }
  throw new InputError(
    `matrix roots: expected a positive definite ${d}×${d} matrix, got one whose roots Newton–Schulz does not find in ` +
      `${MOST_ITERATIONS} iterations of ${engine.dtype}`,
  );
}

/** Y and Z of the iteration. */
interface Pair {
  readonly y: Tensor;
  readonly z: Tensor;
}

/** One iteration, and ‖I − ZY‖_F before it. */
function newtonSchulzStep({ y, z }: Pair, one: Tensor): Pair & { readonly distance: number } {
  const { engine } = one;
  const gap = engine.scope(() => one.sub(z.matMul(y)));
  const distance = engine.scope(() => gap.square().sum().sqrt().item());
  const p = engine.scope(() => gap.mul(0.5).add(one)); // ½(3I − ZY) = I + ½(I − ZY)
  gap.dispose();
  return { y: y.matMul(p), z: p.matMul(z), distance };
}

/** The roots of the matrix itself from those of its quotient by the norm. */
function rescaled({ y, z }: Pair, norm: number): MatrixRoots {
  const { engine } = y;
  const values = (scaled: () => Tensor): Values => engine.scope(() => scaled().values());
  return {
    root: values(() => y.mul(Math.sqrt(norm))),
    inverseRoot: values(() => z.div(Math.sqrt(norm))),
  };
}

/** I, [d, d], made where it is used: as large as it may be, nothing is uploaded. */
function identity(engine: Engine, d: number): Tensor {
  const positions = Float32Array.from({ length: d }, (_, i) => i);
  return engine.tensor([d, 1], positions).equal(engine.tensor([1, d], positions));
}
