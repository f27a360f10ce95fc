import { dot, type OrthonormalBasis, orthonormalBasis } from "./orthonormalBasis.ts";

/** u ≥ 0 of least ‖Eu − f‖. */
export interface NonNegativeSolution {
  /** u, [columns]. */
  readonly solution: Float64Array;
  /** Eu − f, [rows]. */
  readonly residual: Float64Array;
}

/** A column enters where the cosine of its angle to what is left of f is above this: more than rounding makes. */
const ENTERS = 1e-11;
/** Exchanges for each row and column. A few for each row are usual; where there are so many, they go in circles. */
const EXCHANGES = 10;

/**
 * Least squares with variables that are not negative, by the active-set method of Lawson and Hanson (Solving Least Squares
 * Problems, 1974, algorithm NNLS): columns enter one by one where they lessen what is left of f, and leave where their
 * variable would fall below 0. It ends at the solution, where Eᵀ(f − Eu) ≤ 0, and = 0 wherever u > 0, to rounding.
 *
 * @param columns E, column after column, [columns, rows].
 * @param target f, [rows].
 */
export function nonNegativeLeastSquares(columns: Float64Array, target: Float64Array): NonNegativeSolution {
  const rows = target.length;
  const count = columns.length / rows;
  const column = (i: number): Float64Array => columns.subarray(i * rows, (i + 1) * rows);
  const lengths = Float64Array.from({ length: count }, (_, i) => Math.sqrt(dot(column(i), column(i))));
  const basis = orthonormalBasis(target);
  const solution = new Float64Array(count);
  const closed = new Uint8Array(count); // members, and those that rounding alone would let in
  for (let exchange = 0; exchange < EXCHANGES * (rows + count); exchange++) {
    const entering = steepest(columns, basis.residual, { lengths, closed });
    if (entering < 0) return { solution, residual: basis.residual.map((value) => -value) };
    closed[entering] = 1;
    if (!enters(basis, entering, column(entering))) continue;
    closed.fill(0);
    retreat(basis, solution);
    for (const member of basis.members) closed[member] = 1;
  }
  throw new Error("internal: non-negative least squares go in circles");
}

/** The column at the smallest angle to what is left of f, of those that are not closed; −1 where none lessens it. */
function steepest(
  columns: Float64Array,
  residual: Float64Array,
  { lengths, closed }: { readonly lengths: Float64Array; readonly closed: Uint8Array },
): number {
  const rows = residual.length;
  let best = ENTERS * Math.sqrt(dot(residual, residual));
  let found = -1;
  for (let i = 0, at = 0; i < lengths.length; i++, at += rows) {
    if (closed[i] === 1) continue;
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += columns[at + row]! * residual[row]!;
    const cosine = sum / lengths[i]!;
    if (cosine > best) [best, found] = [cosine, i];
  }
  return found;
}

/** Adds a column, unless it lies in the span of the others, or its variable would begin below 0: both are rounding. */
function enters(basis: OrthonormalBasis, member: number, column: Float64Array): boolean {
  if (!basis.add(member, column)) return false;
  const last = basis.members.length - 1;
  if (basis.coefficients()[last]! > 0) return true;
  basis.removeAt(last);
  return false;
}

/** Goes from the solution to the basis's own as far as all variables stay above 0, as often as one gets there and leaves. */
function retreat(basis: OrthonormalBasis, solution: Float64Array): void {
  for (;;) {
    const wanted = basis.coefficients();
    let share = 1;
    basis.members.forEach((member, i) => {
      if (wanted[i]! <= 0) share = Math.min(share, solution[member]! / (solution[member]! - wanted[i]!));
    });
    basis.members.forEach((member, i) => {
      solution[member]! += share * (wanted[i]! - solution[member]!);
    });
    if (share === 1) return;
    leave(basis, solution, wanted);
  }
}

/** Takes out of the basis whose variable has come to 0 on the way to what was wanted. */
function leave(basis: OrthonormalBasis, solution: Float64Array, wanted: Float64Array): void {
  const falling = [...basis.members].map((member, i) => (wanted[i]! <= 0 ? solution[member]! : Infinity));
  const least = Math.min(...falling);
  for (let i = falling.length - 1; i >= 0; i--) {
    const member = basis.members[i]!;
    if (falling[i]! > Math.max(0, least)) continue;
    solution[member] = 0;
    basis.removeAt(i);
  }
}
