import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { resolveExperiment } from "../../experiments/config.ts";
import { loadData } from "../../experiments/data/load.ts";
import { makePart, type Prepared, preparedFor } from "../../experiments/preparation.ts";
import { sealed, toBeSealed } from "../../experiments/sealedFile.ts";
import { selectEngine } from "../../src/engines/index.ts";
import { encodeTree } from "../../src/formats/tree.ts";
import type { Preparation } from "../../src/objectives/objective.ts";
import { pretraining, pretrainingOptions } from "../../src/objectives/pretraining.ts";
import { sourceOf } from "../../src/runs/setting.ts";

const { engine } = await selectEngine("auto", { threads: 1 });
afterAll(() => engine.close());

const experiment = resolveExperiment("tiny", {
  data: { name: "procedural", classes: 2, trainPerClass: 6, testPerClass: 2 },
  imagesPerClass: 1,
  network: { depth: 2, width: 4 },
  objective: "dm",
  steps: 1,
});
const { splits } = await loadData(experiment.data);
const source = sourceOf(experiment, splits, engine);
const preparation = pretraining(pretrainingOptions.parse({ models: 1, epochs: 5, batchSize: 4 }));
const newPrepared = (): Prepared =>
  preparedFor(mkdtempSync(join(tmpdir(), "distillery-prepared-")), experiment, preparation);
const part = ({ path }: Prepared): Buffer => readFileSync(join(path, "part-0000.safetensors"));
const checkpoint = ({ path }: Prepared): string => join(path, "part-0000.checkpoint");

/** The same, cut off like a machine that fails, after some reports; `epochs` counts all that it was at. */
function cutOff(after: number, epochs: number[]): Preparation {
  return {
    ...preparation,
    *part(...given) {
      const work = preparation.part(...given);
      let next = work.next();
      for (let reports = 1; !next.done; next = work.next(), reports++) {
        epochs.push(Math.round(next.value.share * 5));
        yield next.value;
        if (reports === after) throw new Error("power failure");
      }
      return next.value;
    },
  };
}

test("a part that is cut off goes on from its last epoch, to the same bytes, and leaves nothing beside it", async () => {
  const whole = newPrepared();
  await makePart(whole, source, 0);
  const cut = newPrepared();
  const epochs: number[] = [];
  const failing = { ...cut, preparation: cutOff(2, epochs) };
  await expect(makePart(failing, source, 0)).rejects.toThrow("power failure");
  expect(existsSync(checkpoint(cut))).toBe(true);
  await expect(makePart(failing, source, 0)).rejects.toThrow("power failure");
  expect(await makePart({ ...cut, preparation: cutOff(9, epochs) }, source, 0)).toBe(true);
  // Each time the first of two epochs is kept, at least.
  expect(epochs.slice(0, 2)).toEqual([1, 2]);
  expect(epochs.length).toBeLessThanOrEqual(2 + 2 + 3);
  expect(epochs.at(-1)).toBe(5);
  expect(part(cut)).toEqual(part(whole));
  expect(readdirSync(cut.path)).toEqual(["part-0000.safetensors"]);
});

test("what another engine left is not gone on from", async () => {
  const [whole, other] = [newPrepared(), newPrepared()];
  await makePart(whole, source, 0);
  const epochs: number[] = [];
  const counting = { ...other, preparation: cutOff(9, epochs) };
  await expect(makePart({ ...other, preparation: cutOff(1, []) }, source, 0)).rejects.toThrow(
    "power failure",
  );
  const identity = { preparation: other.name, part: "0", ...toBeSealed };
  writeFileSync(checkpoint(other), sealed(encodeTree({ epochs: 4 }, { engine: "another", ...identity })));
  await makePart(counting, source, 0);
  expect(epochs).toEqual([1, 2, 3, 4, 5]);
  expect(part(other)).toEqual(part(whole));
});
