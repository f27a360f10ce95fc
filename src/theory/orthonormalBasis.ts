/** Least squares ‖Σ sᵢ cᵢ − f‖ on a set of columns that come and go, by its QR factors. */
export interface OrthonormalBasis {
  /** Numbers of the columns, in the order in which they came. */
  readonly members: readonly number[];
  /** f − Σ sᵢ cᵢ, what is left of f, [rows]; it changes with the set. */
  readonly residual: Float64Array;
  /** Takes a column in, and says whether it did: not one that lies in the span of the others. */
  add(member: number, column: Float64Array): boolean;
  /** Takes out the column at a place in `members`. */
  removeAt(place: number): void;
  /** s, in the order of `members`. */
  coefficients(): Float64Array;
}

/** A column of which less is left outside of the others' span, relative to its length, lies in it. */
const INDEPENDENT = 1e-10;

/**
 * An empty set for f. Columns are made orthonormal by Gram and Schmidt, twice over, which keeps them so to rounding; one
 * that goes is rotated out of the factors (Golub and Van Loan, Matrix Computations, section 6.5.2).
 *
 * @param target f, [rows].
 */
export function orthonormalBasis(target: Float64Array): OrthonormalBasis {
  const members: number[] = [];
  const directions: Float64Array[] = []; // q, columns of Q
  const triangle: Float64Array[] = []; // columns of R, each as long as its place allows
  const shares: number[] = []; // Qᵀf
  const residual = Float64Array.from(target);
  return {
    members,
    residual,
    add(member, column) {
      const q = Float64Array.from(column);
      const entries = new Float64Array(members.length + 1);
      for (let round = 0; round < 2; round++) {
        directions.forEach((direction, i) => {
          const share = dot(direction, q);
          entries[i]! += share;
          addTo(q, direction, -share);
        });
      }
      const rest = Math.sqrt(dot(q, q));
      if (rest <= INDEPENDENT * Math.sqrt(dot(column, column))) return false;
      entries[members.length] = rest;
      for (let i = 0; i < q.length; i++) q[i]! /= rest;
      const share = dot(q, residual); // of f outside of the others' span: the same as of f, with less rounding
      addTo(residual, q, -share);
      members.push(member);
      directions.push(q);
      triangle.push(entries);
      shares.push(share);
      return true;
    },
    removeAt(place) {
      members.splice(place, 1);
      triangle.splice(place, 1);
      for (let i = place; i < members.length; i++) {
        const entries = triangle[i]!;
        const [above, below] = [entries[i]!, entries[i + 1]!];
        const size = Math.hypot(above, below);
        const turn = { cos: above / size, sin: below / size };
        for (let later = i; later < members.length; later++) turnEntries(triangle[later]!, i, turn);
        turnColumns(directions[i]!, directions[i + 1]!, turn);
        [shares[i], shares[i + 1]] = [
          turn.cos * shares[i]! + turn.sin * shares[i + 1]!,
          turn.cos * shares[i + 1]! - turn.sin * shares[i]!,
        ];
        triangle[i] = entries.subarray(0, i + 1);
      }
      addTo(residual, directions.pop()!, shares.pop()!);
    },
    coefficients() {
      const s = Float64Array.from(shares);
      for (let i = s.length - 1; i >= 0; i--) {
        const entries = triangle[i]!;
        s[i]! /= entries[i]!;
        for (let above = 0; above < i; above++) s[above]! -= entries[above]! * s[i]!;
      }
      return s;
    },
  };
}

interface Turn {
  readonly cos: number;
  readonly sin: number;
}

/** Rotates the entries at a place and the next. */
function turnEntries(entries: Float64Array, place: number, { cos, sin }: Turn): void {
  const [first, second] = [entries[place]!, entries[place + 1]!];
  entries[place] = cos * first + sin * second;
  entries[place + 1] = cos * second - sin * first;
}

function turnColumns(first: Float64Array, second: Float64Array, { cos, sin }: Turn): void {
  for (let i = 0; i < first.length; i++) {
    const [a, b] = [first[i]!, second[i]!];
    first[i] = cos * a + sin * b;
    second[i] = cos * b - sin * a;
  }
}

export function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}

/** x + factor·y, in place. */
function addTo(x: Float64Array, y: Float64Array, factor: number): void {
  for (let i = 0; i < x.length; i++) x[i]! += factor * y[i]!;
}
