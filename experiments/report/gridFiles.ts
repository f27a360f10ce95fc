import { existsSync } from "node:fs";
import { join } from "node:path";
import { cellsOf } from "../../src/datasets/partition.ts";
import { fileOf } from "../runFolder.ts";
import { methodOf } from "./labels.ts";
import { inOrder } from "./order.ts";
import type { Grid } from "./page/pageData.ts";
import type { Results, StudiedRun } from "./reportData.ts";
import { groups } from "./summarize.ts";

/** Where a grid of images lies, and what it shows. */
export interface GridFile extends Omit<Grid, "picture"> {
  readonly source: string;
  /** Rows of the grid. */
  readonly classes: number;
}

/** An experiment with images to show. */
interface Shown extends Pick<
  StudiedRun,
  "experiment" | "method" | "dataset" | "imbalance" | "imagesPerClass"
> {
  readonly classes: number;
  /** Its first run; none where its folder is elsewhere. */
  readonly run?: StudiedRun;
}

/**
 * Of every setting the real images, then the result of each experiment's first seed, in the order of all tables. Of what
 * lies elsewhere, the picture that an earlier report saved in figures/.
 */
export function gridFiles(results: Results): GridFile[] {
  const strips = groups(experimentsOf(results), ["dataset", "imbalance", "imagesPerClass"]);
  return [...strips.values()].flatMap((strip) => {
    const order = inOrder(strip.map(({ method }) => method));
    const sorted = [...strip].sort((a, b) => order.indexOf(a.method) - order.indexOf(b.method));
    return [realGrid(sorted, results), ...sorted.map((one) => resultGrid(one, results))].filter(
      ({ source }) => existsSync(source),
    );
  });
}

function experimentsOf({ rows, runs }: Results): Shown[] {
  const ofRuns = runs.flatMap((run): Shown[] =>
    run.machine && existsSync(fileOf(run.folder, "images"))
      ? [{ ...run, classes: run.machine.classNames.length, run }]
      : [],
  );
  const ofRows = rows.map((row): Shown => ({
    ...row,
    method: methodOf(row),
    classes: row.classAccuracies.length,
  }));
  return [...groups([...ofRuns, ...ofRows], ["experiment"]).values()].map((alike) => alike[0]!);
}

function realGrid(strip: readonly Shown[], { path }: Results): GridFile {
  const one = strip.find(({ run }) => run) ?? strip[0]!;
  const { dataset, imbalance, imagesPerClass, run, classes } = one;
  const file = `${dataset}${imbalance > 1 ? `-lt${imbalance}` : ""}-ipc${imagesPerClass}-real`;
  return {
    ...{ file, dataset, imbalance, imagesPerClass, classes },
    caption: "the first of each class",
    classNames: run?.machine?.classNames ?? [],
    source: run ? fileOf(run.folder, "real") : saved(path, file),
  };
}

function resultGrid({ experiment, method, run, classes, ...setting }: Shown, { path }: Results): GridFile {
  const { dataset, imbalance, imagesPerClass } = setting;
  return {
    ...{ file: experiment, method, dataset, imbalance, imagesPerClass, classes },
    caption: run
      ? `${experiment}, seed ${run.seed}${mosaicNote(run)}${run.done ? "" : ", under way"}`
      : experiment,
    classNames: run?.machine?.classNames ?? [],
    source: run ? fileOf(run.folder, "images") : saved(path, experiment),
  };
}

/** What each picture holds where images are mosaics. */
function mosaicNote({ folder }: StudiedRun): string {
  const { partition } = folder.experiment;
  return partition ? `, each a mosaic of ${cellsOf(partition)} images` : "";
}

const saved = (results: string, file: string): string => join(results, "figures", `${file}.png`);
