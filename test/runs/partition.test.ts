import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { readArtifact } from "../../experiments/artifact.ts";
import { distillExperiment } from "../../experiments/commands/distill.ts";
import { evaluateRun } from "../../experiments/commands/evaluate.ts";
import { resolveExperiment } from "../../experiments/config.ts";
import {
  datasets,
  decodedSet,
  distillationOf,
  evaluationOf,
  type InMemoryOptions,
  selectEngine,
  type SyntheticSet,
} from "../../src/index.ts";

const { engine } = await selectEngine("auto", { threads: 1 });
afterAll(() => engine.close());

const data = { classes: 3, trainPerClass: 12, testPerClass: 100, side: 8 };
const { train, test: tested } = datasets.procedural.read(data);
const partition = { factor: 2, order: "rows" } as const;
const shared = { imagesPerClass: 2, partition, steps: 2 } as const;
const options = {
  ...shared,
  engine,
  network: { name: "convNet", depth: 1, width: 4 },
  objective: "dm",
  seed: 5,
} satisfies InMemoryOptions;
const accuracies = (set: SyntheticSet): number[] =>
  evaluationOf(set, tested, { engine, protocol: "quick", networks: 1 })
    .finish()
    .networks.map(({ accuracy }) => Number(accuracy.toFixed(6))); // the digits of a row

test("a run of the command line keeps mosaics, trains on their cells, and is the same in memory", async () => {
  const results = mkdtempSync(join(tmpdir(), "distillery-partition-"));
  const config = {
    ...shared,
    data: { name: "procedural", ...data },
    network: { depth: 1, width: 4 },
    objective: "dm",
    seeds: [5],
    evaluation: { protocol: "quick", networks: 1 },
  };
  const experiment = resolveExperiment("mosaics", config);
  const [run] = await distillExperiment(experiment, engine, { results, force: false });
  const rows = await evaluateRun(run!, engine, { force: false });
  const filed = readArtifact(run!);
  expect(filed).toMatchObject({ partition, imageShape: [8, 8, 3] });
  expect(filed.labels).toHaveLength(6);
  expect(existsSync(join(run!.path, "images.png"))).toBe(true);

  const synthetic = distillationOf(train, options).finish();
  expect(synthetic.images).toEqual(filed.images);
  expect(synthetic.partition).toEqual(partition);
  expect(accuracies(synthetic)).toEqual(rows.map(({ accuracy }) => accuracy));
});

test("networks are trained on the decoded set, not on mosaics", () => {
  const { network } = options;
  const start = { engine, network, imagesPerClass: 2, partition, steps: 0 } as const;
  const synthetic = distillationOf(train, start).finish();
  expect(accuracies({ ...synthetic, ...decodedSet(synthetic) })).toEqual(accuracies(synthetic));
  expect(accuracies({ ...synthetic, partition: undefined })).not.toEqual(accuracies(synthetic));
});

test("a run with mosaics goes on from a checkpoint to the same bits", () => {
  const whole = distillationOf(train, options).finish();
  const parted = distillationOf(train, options);
  for (const { step } of parted) if (step === 1) break;
  const resumed = distillationOf(train, { ...options, checkpoint: parted.checkpoint() });
  expect(resumed.finish().images).toEqual(whole.images);
});

test("a factor that does not divide the images is refused before anything is computed", () => {
  expect(() => distillationOf(train, { ...options, partition: { factor: 3 } })).toThrow(
    "partition.factor: expected a factor of 2 or more that divides both sides of 8×8 images, got 3",
  );
});
