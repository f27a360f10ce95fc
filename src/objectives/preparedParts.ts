import { check } from "../core/errors.ts";
import { sizeOf } from "../core/shape.ts";
import type { Engine, Tensor } from "../engines/index.ts";
import type { HostArray, NamedArrays } from "../formats/array.ts";
import { type Network, type NetworkChoice, networkOf, type ParameterSpec } from "../networks/index.ts";
import type { Preparation, Source } from "./objective.ts";

/** The architecture of a preparation: one of its own, or that of the matching networks. */
export function architectureIn(
  { network, real, classes }: Pick<Source, "network" | "real" | "classes">,
  own: NetworkChoice | undefined,
): Network {
  return own ? networkOf(own, { imageShape: real.imageShape, classes: classes.length }) : network;
}

/** What parameters take on disk, in single precision. */
export function bytesOf(specs: readonly ParameterSpec[]): number {
  return specs.reduce((total, { shape }) => total + 4 * sizeOf(shape), 0);
}

/** Parameters as arrays, by PREFIX/NAME. */
export function namedArrays(
  prefix: string,
  specs: readonly ParameterSpec[],
  tensors: readonly Tensor[],
): NamedArrays {
  const entries = specs.map(({ name, shape }, i) => [
    `${prefix}/${name}`,
    { shape, data: tensors[i]!.values() },
  ]);
  return Object.fromEntries(entries) as NamedArrays;
}

/** Parameters that `namedArrays` wrote, as tensors of the engine's scope. */
export function namedTensors(
  engine: Engine,
  { where, arrays }: PreparedPart,
  prefix: string,
  specs: readonly ParameterSpec[],
): Tensor[] {
  return specs.map(({ name, shape }) => {
    const full = `${prefix}/${name}`;
    const found = arrayNamed({ where, arrays }, full);
    check(
      found.shape.join() === shape.join(),
      () => `${where}: expected ${full} of shape ${shape.join("×")}, got ${found.shape.join("×")}`,
    );
    return engine.tensor(shape, found.data as Float32Array | Float64Array);
  });
}

/** Of the names that are there, an error shows so many. */
const shownNames = 6;

/** An array of a part, which must be there. */
export function arrayNamed({ where, arrays }: PreparedPart, name: string): HostArray {
  const found = arrays[name];
  check(found !== undefined, () => {
    const names = Object.keys(arrays);
    const more = names.length > shownNames ? ", …" : "";
    return `${where}: expected an array ${name}, got ${names.slice(0, shownNames).join(", ")}${more}`;
  });
  return found;
}

/** A part as a run reads it. */
export interface PreparedPart {
  /** Names it in messages. */
  readonly where: string;
  readonly arrays: NamedArrays;
}

/** What is kept of a preparation from step to step of a run. */
interface Kept {
  readonly network: Network;
  /** Arrays of its parts, the one that was asked for last at the end. */
  readonly parts: Map<number, NamedArrays>;
}

const kept = new WeakMap<Source, Map<Preparation, Kept>>();

/** Kept arrays of a preparation may take so much memory, in bytes; a thousand ResNets do not fit. */
const mostKept = 2 ** 31;

/** One part of a preparation with its architecture. It is read once; what was read stays in memory from step to step. */
export function preparedPart(
  source: Source,
  preparation: Preparation,
  index: number,
): { readonly network: Network; readonly arrays: NamedArrays } {
  const { network, parts } = keptOf(source, preparation);
  const arrays = parts.get(index) ?? source.prepared!(preparation, index);
  parts.delete(index);
  parts.set(index, arrays);
  forgetOldest(parts);
  return { network, arrays };
}

function keptOf(source: Source, preparation: Preparation): Kept {
  const ofSource = kept.get(source) ?? new Map<Preparation, Kept>();
  kept.set(source, ofSource);
  const found = ofSource.get(preparation) ?? {
    network: architectureIn(source, preparation.network as NetworkChoice | undefined),
    parts: new Map<number, NamedArrays>(),
  };
  ofSource.set(preparation, found);
  return found;
}

function forgetOldest(parts: Map<number, NamedArrays>): void {
  const bytes = (one: NamedArrays): number =>
    Object.values(one).reduce((sum, { data }) => sum + data.byteLength, 0);
  let total = [...parts.values()].reduce((sum, one) => sum + bytes(one), 0);
  for (const [oldest, one] of parts) {
    if (total <= mostKept || parts.size === 1) break;
    parts.delete(oldest);
    total -= bytes(one);
  }
}
