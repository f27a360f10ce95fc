/** A mistake of the caller: the message says where, what was expected, what was got, and what to do. */
export class InputError extends Error {
  /** Tells it from errors of the program by name, where modules are loaded twice. */
  override readonly name = "InputError";
}

/** What is computed goes to infinity, or where it cannot go on from. */
export class Divergence extends InputError {}

/**
 * Throws an InputError unless `ok`.
 *
 * @param message built only on failure: `where: expected what, got what`, plus the fix when there is one.
 */
export function check(ok: boolean, message: () => string): asserts ok {
  if (!ok) throw new InputError(message());
}

/** A value as messages show it, whatever it is: building a message must not fail in turn. */
export function shown(value: unknown, depth = 0): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) {
    if (depth === 2) return "[…]";
    const first = Array.from({ length: Math.min(value.length, 8) }, (_, i) => shown(value[i], depth + 1));
    return `[${(value.length > first.length ? [...first, "…"] : first).join(", ")}]`;
  }
  if (typeof value === "function") return "a function";
  if (typeof value === "bigint") return `${value}n`;
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

/** Checks that `value` is a finite number above zero, and returns it. */
export function positive(where: string, value: number): number {
  check(Number.isFinite(value) && value > 0, () => `${where}: expected a number > 0, got ${shown(value)}`);
  return value;
}

/** Checks that `value` is a whole number of at least `least`, and returns it. */
export function wholeNumber(where: string, value: number, least = 0): number {
  check(
    Number.isSafeInteger(value) && value >= least,
    () => `${where}: expected a whole number >= ${least}, got ${shown(value)}`,
  );
  return value;
}

/** The entry of `table` called `name`; the error lists the known names and suggests the nearest. */
export function oneOf<T>(where: string, table: Readonly<Record<string, T>>, name: string): T {
  const known = Object.keys(table);
  check(typeof name === "string" && Object.hasOwn(table, name), () => {
    const near = typeof name === "string" ? nearest(name, known) : undefined;
    const hint = near === undefined ? "" : `; did you mean ${near}?`;
    return `${where}: expected one of ${known.join(", ")}, got ${shown(name)}${hint}`;
  });
  return table[name] as T;
}

/** The known word closest to `word` by edit distance, if any is within two edits or a third of its length. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const reach = Math.max(2, Math.ceil(word.length / 3));
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= reach ? best.candidate : undefined;
}

/** Insertions, deletions, substitutions and swaps of neighbors between two words (optimal string alignment), by rows. */
function editDistance(a: string, b: string): number {
  let above: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swap =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? above[j - 2]! + 1 : Infinity;
      next.push(Math.min(substitution, swap, row[j]! + 1, next[j - 1]! + 1));
    }
    above = row;
    row = next;
  }
  return row[b.length]!;
}
