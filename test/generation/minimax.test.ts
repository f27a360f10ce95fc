import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { emptyMemories, type Memories, minimaxCriteria, remembered } from "../../src/generation/minimax.ts";
import type { Tensor } from "../../src/engines/index.ts";
import { expectClose, tolerance } from "../support/close.ts";
import { describeEngines, engines, exactEngine } from "../support/engines.ts";
import { expectGradient, spreadPoint } from "../support/gradients.ts";

interface Reference {
  readonly minimax: {
    readonly per_class: Readonly<
      Record<string, { readonly min_cos_repr: number; readonly max_cos_div: number }>
    >;
    readonly loss_repr: number;
    readonly loss_div: number;
  };
}
const { minimax } = JSON.parse(readFileSync("test/reference/sampling-generation.json", "utf8")) as Reference;
const candidates = await engines();

describeEngines(candidates, (engine) => {
  const table = (rows: number, f: (i: number, j: number) => number): Tensor =>
    engine.tensor(
      [rows, 4],
      Array.from({ length: 4 * rows }, (_, at) => f(Math.floor(at / 4), at % 4)),
    );
  const memories = (): Memories => ({
    real: [table(3, (i, j) => Math.cos(0.2 * i + 0.9 * j)), table(2, (i, j) => Math.cos(0.3 * i - 0.4 * j))],
    predicted: [
      table(3, (i, j) => Math.sin(0.8 * i + 1.1 * j + 0.2)),
      table(2, (i, j) => Math.sin(0.6 * i - 0.5 * j)),
    ],
  });
  const predictions = (): Tensor => table(3, (i, j) => Math.sin(0.5 * i + j));
  const values = (criteria: ReturnType<typeof minimaxCriteria>): [number, number] => [
    criteria.representativeness.item(),
    criteria.diversity.item(),
  ];

  test("the criteria of a batch and of each of its classes are those of the reference", () => {
    engine.scope(() => {
      const batch = { features: predictions(), classes: Int32Array.of(0, 0, 1) };
      const both = [minimax.loss_repr / 0.002, minimax.loss_div / 0.008];
      expectClose(values(minimaxCriteria(batch, memories())), both, tolerance(engine.dtype));
      const parts = [
        { features: predictions().slice([0, 0], [2, 4]), classes: Int32Array.of(0, 0) },
        { features: predictions().slice([2, 0], [1, 4]), classes: Int32Array.of(1) },
      ];
      parts.forEach((part, label) => {
        const { min_cos_repr, max_cos_div } = minimax.per_class[label]!;
        const expected = [1 - min_cos_repr, max_cos_div];
        expectClose(values(minimaxCriteria(part, memories())), expected, tolerance(engine.dtype));
      });
    });
  });

  test("a class's first visit adds nothing, but counts among the classes of the batch", () => {
    engine.scope(() => {
      const full = memories();
      const half = { real: [full.real[0]!, null], predicted: [full.predicted[0]!, null] };
      const batch = { features: predictions(), classes: Int32Array.of(0, 0, 1) };
      const { min_cos_repr, max_cos_div } = minimax.per_class[0]!;
      const expected = [(1 - min_cos_repr) / 2, max_cos_div / 2];
      expectClose(values(minimaxCriteria(batch, half)), expected, tolerance(engine.dtype));
      expect(values(minimaxCriteria(batch, emptyMemories(2)))).toEqual([0, 0]);
    });
  });

  test("the gradient is that of central differences, by the worst pairs alone", () => {
    const at = [spreadPoint([3, 4], [-1, 1], 3)];
    const sum = (features: Tensor): Tensor => {
      const found = minimaxCriteria({ features, classes: Int32Array.of(0, 0, 1) }, memories());
      return found.representativeness.mul(2).add(found.diversity.mul(3));
    };
    // Of the two rows of class 0, those that are in no worst pair have no gradient.
    if (engine.dtype === "float64") expectGradient(engine, sum, at, exactEngine(candidates));
    const { gradients } = engine.gradients(
      (features) => minimaxCriteria({ features, classes: Int32Array.of(0, 0, 0) }, memories()).diversity,
      [predictions()],
    );
    const rows = Array.from({ length: 3 }, (_, i) => gradients[0]!.values().slice(4 * i, 4 * i + 4));
    expect(rows.filter((row) => row.some((value) => value !== 0))).toHaveLength(1);
  });

  test("memories keep the last features of each class in order, and are constants", () => {
    engine.scope(() => {
      const features = (values: number[]): Tensor => engine.tensor([values.length, 1], values);
      const step = (before: Memories, values: number[], classes: number[]): Memories => {
        const batch = { features: features(values), classes: Int32Array.from(classes) };
        return remembered(
          before,
          { real: batch, predicted: { ...batch, features: batch.features.mul(10) } },
          3,
        );
      };
      const once = step(emptyMemories(3), [1, 2, 3], [0, 1, 0]);
      const twice = step(once, [4, 5], [0, 0]);
      const shown = (memory: Memories["real"]): (number[] | null)[] =>
        memory.map((rows) => rows && Array.from(rows.values()));
      expect(shown(once.real)).toEqual([[1, 3], [2], null]);
      expect(shown(twice.real)).toEqual([[3, 4, 5], [2], null]);
      expect(shown(twice.predicted)).toEqual([[30, 40, 50], [20], null]);
    });
  });
});
