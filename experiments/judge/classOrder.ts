import type { StoredSet } from "../../src/runs/storedSet.ts";

/** A set and the classes that its labels count. */
export interface ClassedSet {
  readonly set: StoredSet;
  /** In label order. */
  readonly classNames: readonly string[];
}

/** The set with its classes in another order of the same names; as it is where they are not the same. */
export function inOrder({ set, classNames }: ClassedSet, wanted: readonly string[]): ClassedSet {
  const places = classNames.map((name) => wanted.indexOf(name));
  const isPermutation = classNames.length === wanted.length && new Set(places).size === wanted.length;
  const isSame = places.every((place, label) => place === label);
  if (isSame || !isPermutation || places.includes(-1)) return { set, classNames };
  const { labels, softLabels } = set;
  const classes = wanted.length;
  return {
    set: {
      ...set,
      // A label that counts no class stays wrong, to be found by whoever checks the set.
      labels: labels.map((label) => places[label] ?? label),
      softLabels: softLabels && moved(softLabels, places, classes),
    },
    classNames: wanted,
  };
}

/** Rows of `classes` columns, each column moved to its place. */
function moved(rows: Float32Array, places: readonly number[], classes: number): Float32Array {
  const result = new Float32Array(rows.length);
  rows.forEach((value, i) => {
    const column = i % classes;
    result[i - column + places[column]!] = value;
  });
  return result;
}
