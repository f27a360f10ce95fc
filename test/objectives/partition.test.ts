import { afterAll, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { decoded, decodedLabels } from "../../src/datasets/partition.ts";
import { initialImages } from "../../src/distillers/initialize.ts";
import type { Tensor } from "../../src/engines/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { descent, type Objective, type Source } from "../../src/objectives/objective.ts";
import { objectiveOf } from "../../src/runs/setting.ts";
import { resolvedOptions, type DistillationOptions } from "../../src/runs/options.ts";
import { expectClose } from "../support/close.ts";
import { toySource } from "../support/toy.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

const objectives: DistillationOptions["objective"][] = [
  { name: "dm", realBatch: 4 },
  { name: "csdm", realBatch: 4, frequencies: 16 },
];
const pluginLists = [[], [{ name: "difficultyCorrection", weight: 0.5 }]] as const;

test.each(objectives.flatMap((objective) => pluginLists.map((plugins) => ({ objective, plugins }))))(
  "matching mosaics is matching their cells, and its gradient is carried back to them: $objective.name with $plugins.length plugins",
  ({ objective: chosen, plugins }) => {
    const partition = { factor: 2, order: "columns" } as const;
    const whole: Source = { ...toySource(engine), augmentation: ["color", "crop", "flip", "rotate"] };
    const mosaics: Source = { ...whole, partition };
    const cells: Source = { ...whole, imagesPerClass: 8, labels: decodedLabels(whole.labels, partition) };
    const objective = objectiveOf(resolvedOptions("test", { objective: chosen!, plugins, steps: 1 }))!;
    const images = initialImages(mosaics, { initialization: "random", scarcity: "duplicate" }, seeded(1));
    const enlarged = decoded(images, partition);

    const found = step(objective, mosaics, images);
    const expected = step(objective, cells, enlarged);
    expectClose([found.value.item()], [expected.value.item()], 1e-12);
    const { gradients } = engine.gradients(
      (stored) => decoded(stored!, partition).mul(expected.gradients.images!).sum(),
      [images],
    );
    expectClose(found.gradients.images!.values(), gradients[0]!.values(), 1e-12);
  },
);

function step(objective: Objective, source: Source, images: Tensor) {
  const state = objective.begin?.(source, seeded(2), images).state ?? null;
  return descent(objective, { images }, objective.draw(source, seeded(3), { step: 0, state }));
}
