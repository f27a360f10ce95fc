import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Argv } from "yargs";
import { check } from "../../src/core/errors.ts";
import type { Engine } from "../../src/engines/index.ts";
import { diagnose, diagnoseFrequencies, diagnoseRun, finishedRuns } from "../commands/diagnose.ts";
import { diagnosisText, frequencyText } from "../commands/diagnosisText.ts";
import { foreignSubject } from "../judge/foreignSubject.ts";
import { subjectOf } from "../judge/subject.ts";
import { pluralOf } from "../report/labels.ts";
import { isRun, readRun, type RunFolder } from "../runFolder.ts";
import { engineFor, engineOption, print, threadsOption } from "./shared.ts";

export const diagnoseCommand = (cli: Argv): Argv =>
  cli.command(
    "diagnose <path> [overrides..]",
    "Compare a run's images, or any synthetic set, with real ones: features under random networks, fine structure",
    (command) =>
      command
        .positional("path", {
          type: "string",
          demandOption: true,
          describe:
            "Run, results folder for all its runs that lack it, exported folder, safetensors or npz file, or folder of images",
        })
        .positional("overrides", { type: "string", array: true, describe: "key=value, as in data.root=DIR" })
        .option("data", {
          type: "string",
          describe: "Real data set to compare a set without a card with, as in --data cifar10 data.root=DIR",
        })
        .option("results", {
          type: "string",
          describe: "Results folder that keeps what is found of a set that is no run's",
        })
        .option("name", { type: "string", describe: "What such a set is called there" })
        .option("engine", engineOption)
        .option("threads", threadsOption)
        .option("force", {
          type: "boolean",
          default: false,
          describe: "Also runs that were compared before",
        })
        .option("frequencies", {
          type: "boolean",
          default: false,
          describe: "Errors of spectral estimates by the number of frequencies instead, of a run or a set",
        }),
    async ({ path, overrides = [], engine: asked, threads, data, results, name, force, frequencies }) => {
      const isResults = !isRun(path) && existsSync(join(path, "runs"));
      const given = Object.entries({ data, results, name }).find(([, value]) => value !== undefined);
      check(
        given === undefined || !(isRun(path) || isResults),
        () => `--${given![0]}: expected none, as ${path} knows its own`,
      );
      check(
        !(frequencies && isResults),
        () => `--frequencies: expected one run or set, got the results folder ${path}`,
      );
      const engine = await engineFor(asked ?? "auto", threads);
      if (isResults) return diagnoseAll(finishedRuns(path, overrides), { path, engine, force });
      const subject = isRun(path)
        ? subjectOf(readRun(path, overrides))
        : await foreignSubject(path, { data, overrides, name, results, force });
      print(
        frequencies
          ? frequencyText(await diagnoseFrequencies(subject, engine))
          : diagnosisText(await diagnose(subject, engine), subject.classNames),
      );
    },
  );

async function diagnoseAll(
  runs: readonly RunFolder[],
  { path, engine, force }: { readonly path: string; readonly engine: Engine; readonly force: boolean },
): Promise<void> {
  for (const run of runs) await diagnoseRun(run, engine, force);
  print(`${path}: ${pluralOf(runs.length, "finished run")} compared; the report shows them`);
}
