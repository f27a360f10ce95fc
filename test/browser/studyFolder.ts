import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resolveExperiment } from "../../experiments/config.ts";
import { writeWhole } from "../../experiments/files.ts";
import { rowsFile } from "../../experiments/gather.ts";
import { imageGrid } from "../../experiments/images.ts";
import { machine } from "../../experiments/machine.ts";
import { mapFile, mapFolder } from "../../experiments/map/files.ts";
import { recordRanking, type RankingRecord } from "../../experiments/rank/record.ts";
import type { RunRecord } from "../../experiments/report/data.ts";
import { writeRows } from "../../experiments/results.ts";
import { fileOf, prepareRun, type RunFolder } from "../../experiments/runFolder.ts";
import { seeded } from "../../src/core/rng.ts";
import { normalized } from "../../src/datasets/dataset.ts";
import { procedural } from "../../src/datasets/procedural.ts";
import { writeSafetensors } from "../../src/formats/safetensors.ts";
import { richMap } from "../experiments/richMap.ts";
import { rankingOf } from "../experiments/rankings.ts";
import { convNet, richClassNames, richRows, richRuns } from "../experiments/richRows.ts";
import { guidedSelection } from "../experiments/guidedSelection.ts";

/** Images to show, five of each of ten classes, whatever the set is called. */
const { train: real } = procedural.read({ trainPerClass: 5, testPerClass: 1 });

/** A new, empty results folder. */
export function newResults(): string {
  return mkdtempSync(join(tmpdir(), "distillery-page-"));
}

/** A results folder as the study of `richRows` leaves it, with two runs under way and one folder that is damaged. */
export async function studyFolder(): Promise<string> {
  const results = newResults();
  const rows = richRows();
  writeRows(rowsFile(results), rows);
  const runs = richRuns(rows);
  const folders = await Promise.all(runs.map((run) => writeRun(results, run, "done")));
  const map = richMap();
  writeWhole(mapFile(mapFolder(results, map.name)), JSON.stringify(map));
  const learned = runs.filter(({ metrics }) => metrics.length > 0);
  for (const [i, run] of runs.entries()) {
    const isRanked = run.imbalance > 1 && !run.experiment.endsWith("resNet18");
    if (isRanked) recordRanking(folders[i]!, ranked(run));
  }
  const [first, second] = [learned[0]!, learned.at(-1)!];
  await writeRun(
    results,
    { ...first, experiment: "dm-longer", metrics: first.metrics.slice(0, 700) },
    "going",
  );
  await writeRun(results, { ...second, experiment: "dm-mnist-early", metrics: [] }, "going");
  // Beside what random images are otherwise, one config of them is as if it had chosen them by difficulty.
  const sampled = folders.filter(({ experiment }) => experiment.name === "random-lt100-ipc10");
  for (const run of sampled) {
    writeWhole(fileOf(run, "selection"), JSON.stringify(guidedSelection("scale", run.seed)));
  }
  writeWhole(join(folders[0]!.path, "..", "seed-9", "config.yaml"), "steps: [\n");
  return results;
}

/** Ranking scores of a run: better ones of what is learned. */
function ranked({ experiment, method, seed, imbalance, imagesPerClass }: RunRecord): RankingRecord {
  const [objective, plugins = ""] = method.split(" + ") as [string, string?];
  const gain = objective === "random" ? 0 : 0.1 + 0.01 * seed;
  return rankingOf(
    {
      experiment,
      objective,
      plugins,
      imbalance,
      imagesPerClass,
      distillSeed: seed,
      network: convNet,
      evaluationNetwork: convNet,
    },
    [0.26 + gain, 0.27 + gain, 0.3 + gain],
  );
}

/** Writes a run's folder by the study's record of it. */
export async function writeRun(
  results: string,
  record: RunRecord,
  state: "done" | "going",
): Promise<RunFolder> {
  const run = runOf(results, record);
  prepareRun(run, false);
  const classNames = richClassNames[record.dataset as keyof typeof richClassNames];
  const facts = { ...machine({ name: "torch-cpu", description: "libtorch, CPU, 2 threads" }), classNames };
  writeWhole(fileOf(run, "machine"), JSON.stringify(facts));
  const { metrics, spectra, discrepancy } = record;
  writeWhole(fileOf(run, "metrics"), metrics.map((metric) => `${JSON.stringify(metric)}\n`).join(""));
  writeWhole(fileOf(run, "real"), await gridOf(0));
  writeWhole(fileOf(run, "images"), await gridOf(record.method === "random" ? 0 : 0.8, record.seed));
  if (state === "going") return run;
  if (spectra) writeWhole(fileOf(run, "spectra"), JSON.stringify(spectra));
  if (discrepancy) writeWhole(fileOf(run, "discrepancy"), JSON.stringify(discrepancy));
  writeWhole(fileOf(run, "synthetic"), writeSafetensors({}, {}));
  return run;
}

function runOf(results: string, { experiment, method, seed, ...about }: RunRecord): RunFolder {
  const [objective, plugin] = method.split(" + ");
  const config = {
    data: { name: about.dataset, imbalance: about.imbalance },
    imagesPerClass: about.imagesPerClass,
    ...(objective !== "random" && { objective }),
    plugins: plugin === undefined ? [] : [{ name: plugin }],
    steps: objective === "random" ? 0 : 2000,
    seeds: [seed],
  };
  const path = join(results, "runs", experiment, `seed-${seed}`);
  return { path, experiment: resolveExperiment(experiment, config), seed };
}

const grids = new Map<string, Promise<Buffer>>();

/** A grid of real images under noise of a standard deviation. */
export function gridOf(noise: number, seed = 0): Promise<Buffer> {
  const key = `${noise}/${seed}`;
  const grid = grids.get(key) ?? newGrid(noise, seed);
  grids.set(key, grid);
  return grid;
}

function newGrid(noise: number, seed: number): Promise<Buffer> {
  const rng = seeded(seed);
  const images = normalized(real, Array.from(real.labels.keys())).map(
    (value) => value + noise * rng.normal(),
  );
  const { imageShape, labels, classNames, mean, std } = real;
  return imageGrid({ images, imageShape, labels, classes: classNames.length, mean, std });
}
