import type { Rng } from "../../src/core/rng.ts";
import type { Engine } from "../../src/engines/index.ts";
import type { NamedArrays } from "../../src/formats/array.ts";

/** full is what a user runs; small takes seconds, to see that everything works. */
export const sizes = ["full", "small"] as const;
export type Size = (typeof sizes)[number];

/** Numbers by name that size a case; the peer reads them too. */
export type Setting = Readonly<Record<string, number>>;

/** What a worker makes its program from. */
export interface Given<S extends Setting> {
  readonly engine: Engine;
  readonly setting: S;
  /** What `inputs` made; the peer has the same. */
  readonly arrays: NamedArrays;
  /** The stream that `inputs` had. */
  readonly rng: Rng;
}

/** Numbers by which two programs are known to compute the same. */
export interface Outcome {
  readonly loss: number;
  /** Norms of gradients or updates, by name. */
  readonly norms: Readonly<Record<string, number>>;
  /** What a peer cannot know, as it follows from our dice. */
  readonly facts?: Readonly<Record<string, number>>;
}

/** A step to time. */
export interface Program<R = unknown> {
  /** What is timed: `setting.calls` calls, or one. Waits for the device. Its tensors are freed by the caller. */
  run(): R;
  /** The numbers of a result, untimed. */
  outcome(result: R): Outcome;
}

/** Something to measure. */
export interface BenchCase<S extends Setting = Setting> {
  readonly about: string;
  /** Whether peer/ has the same step in PyTorch. */
  readonly peer: boolean;
  /** Settings by the part of the row's name that follows the case's; "" for none. */
  readonly settings: Readonly<Record<Size, Readonly<Record<string, S>>>>;
  /** All numbers that a step starts from: images [n, h, w, c], filters [outputs, h, w, inputs]. */
  inputs(setting: S, rng: Rng): NamedArrays;
  program(given: Given<S>): Program;
  /** What our step has to keep by its method, whatever else it holds on its way. */
  keptBytes?(setting: S): number;
}

/** Root of a case's dice; the same in every process. */
export const BENCH_SEED = 0;
