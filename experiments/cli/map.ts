import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Argv } from "yargs";
import { check } from "../../src/core/errors.ts";
import { makeMap } from "../commands/map.ts";
import { dataName } from "../data/load.ts";
import { mapFolder } from "../map/files.ts";
import { mapOptions } from "../map/options.ts";
import { type MapSubjects, mapSubjects } from "../map/subjects.ts";
import { mapText } from "../map/tables.ts";
import { slug } from "../report/charts/chart.ts";
import { engineFor, engineOption, preparedOption, print, resultsOption, threadsOption } from "./shared.ts";

export const mapCommand = (cli: Argv): Argv =>
  cli.command(
    "map <sets..>",
    "Draw real and synthetic images of some sets by their features in two dimensions, and measure how classes lie",
    (command) =>
      command
        .positional("sets", {
          type: "string",
          array: true,
          demandOption: true,
          describe:
            "Runs, exported folders, files or folders of images, all of one data set; and key=value, as in data.root=DIR " +
            "features=random projection=tsne images.perClass=50",
        })
        .option("data", {
          type: "string",
          describe: "Real data set of sets without a card; by default that of the other sets",
        })
        .option("results", resultsOption)
        .option("name", {
          type: "string",
          describe: "Of the map, which goes to RESULTS/maps/NAME; by default of data set and sets",
        })
        .option("out", { type: "string", describe: "Folder for it elsewhere" })
        .option("prepared", preparedOption)
        .option("engine", engineOption)
        .option("threads", threadsOption),
    async ({ sets, data, results, name: asked, out, prepared, engine: wanted, threads }) => {
      const { paths, overrides } = sorted(sets);
      const options = mapOptions(overrides.filter((text) => !text.startsWith("data.")));
      const ofData = overrides.filter((text) => text.startsWith("data."));
      const subjects = await mapSubjects({ paths, data, overrides: ofData });
      const engine = await engineFor(wanted ?? "auto", threads);
      const name = asked ?? nameOf(subjects);
      check(
        /^\w[\w.+-]*$/.test(name),
        () =>
          `--name: expected letters, digits and any of . + - _, as in dm-iid, got ${JSON.stringify(name)}`,
      );
      const folder = out ?? mapFolder(results, name);
      const record = await makeMap(subjects, options, {
        engine,
        name,
        out: folder,
        prepared: prepared ?? join(results, "prepared"),
      });
      print(mapText(record));
      print(`\n${folder}`);
    },
  );

/** Paths, and what is key=value and no path. */
function sorted(given: readonly string[]): { paths: string[]; overrides: string[] } {
  const isOverride = (text: string): boolean => text.includes("=") && !existsSync(text);
  const paths = given.filter((text) => !isOverride(text));
  check(paths.length > 0, () => "map: expected at least one set, as in results/runs/dm/seed-0, got none");
  return { paths, overrides: given.filter(isOverride) };
}

/** Sets whose names are in that of a map; of more, their number is. */
const NAMED = 4;

function nameOf({ subjects, experiment }: MapSubjects): string {
  const labels = subjects.map(({ label }) => label);
  const sets = labels.length <= NAMED ? labels : [`${labels.length} sets`];
  return slug([dataName(experiment.data), ...sets].join(" "));
}
