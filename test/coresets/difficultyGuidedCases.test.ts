import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { allocation, largestRemainders, type DifficultyShape } from "../../src/coresets/guided/allocation.ts";
import { drawBins } from "../../src/coresets/guided/drawBins.ts";
import { histogram } from "../../src/coresets/guided/histogram.ts";
import { logTransform, type Thresholds } from "../../src/coresets/guided/logTransform.ts";
import { chooseThresholds, objectives, type ThresholdSearch } from "../../src/coresets/guided/thresholds.ts";

interface ModeCase {
  readonly objective: readonly (readonly (number | "Infinity")[])[];
  readonly b: number;
  readonly t: number;
  readonly pool_bottom: number;
  readonly pool_top: number;
  readonly orig_bottom: number;
  readonly orig_top: number;
  readonly pool_log_first10: readonly number[];
  readonly pool_log_hist: readonly number[];
  readonly orig_log_hist: readonly number[];
  readonly sampling_distribution: readonly number[];
  readonly in_bin_taken: readonly number[];
  readonly random_fill: number;
}

interface Cases {
  readonly dgs: {
    readonly ipc: number;
    readonly pool: readonly number[];
    readonly original: readonly number[];
    readonly pool_hist: readonly number[];
    readonly original_hist: readonly number[];
    readonly code: ModeCase;
    readonly code_eps: ModeCase;
    readonly paper_eps: ModeCase;
    readonly log_transform_b1_t2_first10: readonly number[];
    readonly scale_of_raw_original: readonly number[];
    readonly scale_tie_case: { hist: readonly number[]; ipc: number; expected: readonly number[] };
  };
  readonly dgs_all_infinite: {
    readonly code: readonly (readonly (number | "Infinity")[])[];
    readonly code_choice: readonly [number, number];
    readonly code_eps: readonly (readonly number[])[];
    readonly code_eps_choice: readonly [number, number];
  };
  readonly dgs_predefined: Readonly<Record<DifficultyShape, Readonly<Record<string, readonly number[]>>>>;
}

const cases = JSON.parse(
  readFileSync(new URL("../reference/sampling-dgs.json", import.meta.url), "utf8"),
) as Cases;
const { dgs, dgs_all_infinite: infinite, dgs_predefined: predefined } = cases;
const pool = Float64Array.from(dgs.pool);
const original = Float64Array.from(dgs.original);

/** Of a matrix printed with 10 decimals. */
function expectClose(
  found: readonly (readonly { readonly objective: number }[])[],
  expected: readonly (readonly (number | "Infinity")[])[],
): void {
  expect(found).toHaveLength(expected.length);
  expected.forEach((row, b) => {
    expect(found[b]).toHaveLength(row.length);
    row.forEach((value, t) => {
      const { objective } = found[b]![t]!;
      if (value === "Infinity") expect(objective).toBe(Infinity);
      else expect(Math.abs(objective - value)).toBeLessThan(1e-9);
    });
  });
}

function transformed(scores: Float64Array, thresholds: Thresholds): Float64Array {
  return scores.map(logTransform(scores.toSorted(), thresholds)!);
}

/** Values where a transform is 1 and where it is the floor: the scores that it clips to. */
function bounds(scores: Float64Array, thresholds: Thresholds): readonly [low: number, high: number] {
  const values = transformed(scores, thresholds);
  const at = (wanted: (value: number) => boolean): number[] =>
    Array.from(scores).filter((_, i) => wanted(values[i]!));
  return [Math.max(...at((value) => value === 1e-4)), Math.min(...at((value) => value === 1))];
}

test("raw histograms", () => {
  expect(histogram(pool)).toEqual(dgs.pool_hist);
  expect(histogram(original)).toEqual(dgs.original_hist);
});

test("the log transform at b = 1, t = 2", () => {
  const values = transformed(pool, { bottom: 1, top: 2 });
  dgs.log_transform_b1_t2_first10.forEach((value, i) => expect(values[i]).toBeCloseTo(value, 9));
});

describe.each([
  ["code", dgs.code],
  ["codeEps", dgs.code_eps],
  ["paperEps", dgs.paper_eps],
] as const satisfies [ThresholdSearch, ModeCase][])("search %s", (search, expected) => {
  const chosen = chooseThresholds(pool, dgs.ipc, search);

  test("the objective at all thresholds, and the first of the least", () => {
    expectClose(objectives(pool, dgs.ipc, search), expected.objective);
    expect([chosen.bottom, chosen.top]).toEqual([expected.b, expected.t]);
    expect(chosen.objective).toBe(objectives(pool, dgs.ipc, search)[expected.b]![expected.t]!.objective);
  });

  test("transformed scores, their histograms, and what they are clipped to", () => {
    const values = transformed(pool, chosen);
    expected.pool_log_first10.forEach((value, i) => expect(values[i]).toBeCloseTo(value, 9));
    expect(histogram(values)).toEqual(expected.pool_log_hist);
    expect(histogram(transformed(original, chosen))).toEqual(expected.orig_log_hist);
    expect(bounds(pool, chosen)).toEqual([expected.pool_bottom, expected.pool_top]);
    expect(bounds(original, chosen)[1]).toBe(expected.orig_top);
  });

  test("how many images are demanded and taken of each bin, and filled up at random", () => {
    const demanded = allocation("scale", histogram(transformed(original, chosen)), dgs.ipc);
    expect(demanded).toEqual(expected.sampling_distribution);
    const drawn = drawBins(transformed(pool, chosen), demanded, seeded(3));
    expect(drawn.taken).toEqual(expected.in_bin_taken);
    expect(drawn.filled).toBe(expected.random_fill);
    expect(new Set(drawn.positions).size).toBe(dgs.ipc);
  });
});

test("the original images' lowest threshold is the floor, where the easiest image is at 0", () => {
  // Scores of 0 and of 10⁻⁴ and below have the floor's value; the next larger one has not.
  const values = transformed(original, { bottom: 1, top: 3 });
  expect(dgs.code.orig_bottom).toBe(1e-4);
  original.forEach((score, i) => expect(values[i] === 1e-4).toBe(score <= dgs.code.orig_bottom));
});

test("where all thresholds are infinite, the first ones are chosen; smoothed, they are ranked", () => {
  const few = pool.subarray(0, 20);
  expectClose(objectives(few, 4, "code"), infinite.code);
  expectClose(objectives(few, 4, "codeEps"), infinite.code_eps);
  const chosen = (search: ThresholdSearch): readonly number[] => {
    const { bottom, top } = chooseThresholds(few, 4, search);
    return [bottom, top];
  };
  expect(chosen("code")).toEqual(infinite.code_choice);
  expect(chosen("codeEps")).toEqual(infinite.code_eps_choice);
});

test("largest remainders, of equal ones the first", () => {
  expect(largestRemainders(dgs.original_hist, dgs.ipc)).toEqual(dgs.scale_of_raw_original);
  const { hist, ipc, expected } = dgs.scale_tie_case;
  expect(largestRemainders(hist, ipc)).toEqual(expected);
});

test.each(Object.entries(predefined))("the shape %s at 10, 20 and 50 images per class", (shape, rows) => {
  for (const [perClass, row] of Object.entries(rows)) {
    expect(allocation(shape as DifficultyShape, dgs.original_hist, Number(perClass))).toEqual(row);
  }
});
