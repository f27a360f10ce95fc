import type { SelectionFile } from "../../experiments/selection.ts";
import { seeded } from "../../src/core/rng.ts";
import type { DifficultyShape } from "../../src/coresets/guided/allocation.ts";
import { guidedChoice } from "../../src/coresets/guided/guidedChoice.ts";

/** What a run says that has chosen images of ten classes by difficulty: of a pool that is easier than the real images. */
export function guidedSelection(
  shape: DifficultyShape,
  seed: number,
  { perClass = 10, classes = 10 } = {},
): SelectionFile {
  const dice = seeded(12).stream("scores");
  const scores = (count: number, power: number): Float64Array =>
    Float64Array.from({ length: count }, () => dice.uniform() ** power);
  const chosen = Array.from({ length: classes }, (_, label) =>
    guidedChoice(
      { pool: scores(40, 3), real: scores(200, 1.5) },
      { perClass, shape, search: "codeEps" },
      seeded(seed).stream(String(label)),
    ),
  );
  return {
    from: "pool",
    positions: chosen.flatMap(({ positions }, label) => positions.map((at) => 40 * label + at)),
    pool: { name: "augmented", images: 40 * classes, perClass: chosen.map(() => 40), sha256: "0".repeat(64) },
    shape,
    search: "codeEps",
    scorer: { name: "outOfFold", accuracies: [0.61, 0.63, 0.62], poolAccuracies: [0.81, 0.8, 0.83] },
    warnings: [],
    classes: chosen.map(({ record }) => record),
  };
}
