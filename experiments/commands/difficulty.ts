import { join } from "node:path";
import { stringify as csv } from "csv-stringify/sync";
import { stringify as yaml } from "yaml";
import type { Engine } from "../../src/engines/index.ts";
import { difficultyCharts } from "../difficulty/chart.ts";
import { type DifficultySubject, scoreDifficulty, type ScoredSubject } from "../difficulty/score.ts";
import { imageRows, summaryRows } from "../difficulty/tables.ts";
import { writeWhole } from "../files.ts";
import { machine } from "../machine.ts";
import { chartPng, chartSvg } from "../report/charts/index.ts";

/** Where results go, and where networks and scores are kept that are used again. */
export interface DifficultyFolders {
  readonly out: string;
  readonly prepared: string;
}

/**
 * Scores the images of a subject, and writes what was found into a folder:
 *
 *     images.csv       a line for each image
 *     summary.csv      means and correlations, of all images and of each class
 *     options.yaml     every option resolved but where the data lie, the engine and the commit
 *     figures/         GraDN by χ, of all images and of each class, as SVG and PNG
 */
export async function difficulty(
  subject: DifficultySubject,
  engine: Engine,
  { out, prepared }: DifficultyFolders,
): Promise<ScoredSubject> {
  const scored = await scoreDifficulty(subject, engine, prepared);
  writeWhole(join(out, "images.csv"), csv(imageRows(scored), { header: true }));
  writeWhole(join(out, "summary.csv"), csv(summaryRows(scored), { header: true }));
  const { engine: name, commit } = machine(engine);
  const { options, label } = subject;
  const shown = { subject: label, ...options, data: { ...options.data, root: undefined } };
  writeWhole(join(out, "options.yaml"), yaml({ ...shown, engine: name, commit }));
  for (const chart of difficultyCharts(scored)) {
    writeWhole(join(out, "figures", `${chart.id}.svg`), await chartSvg(chart, "print"));
    writeWhole(join(out, "figures", `${chart.id}.png`), await chartPng(chart));
  }
  return scored;
}
