import { join } from "node:path";
import type { Argv } from "yargs";
import { difficulty } from "../commands/difficulty.ts";
import { sizes } from "../difficulty/options.ts";
import { difficultySubject } from "../difficulty/score.ts";
import { difficultyText } from "../difficulty/tables.ts";
import { slug } from "../report/charts/chart.ts";
import { engineFor, engineOption, print, resultsOption, threadsOption } from "./shared.ts";

export const difficultyCommand = (cli: Argv): Argv =>
  cli.command(
    "difficulty <what> [overrides..]",
    "Score images under trained networks: gradient norm, misclassification, loss, and how these go together",
    (command) =>
      command
        .positional("what", {
          type: "string",
          demandOption: true,
          describe:
            "Data set, as in cifar10; or a run, exported folder, file or folder of images of a synthetic set",
        })
        .positional("overrides", {
          type: "string",
          array: true,
          describe: "key=value, as in data.root=DIR images.perClass=100 networks.models=5",
        })
        .option("size", {
          choices: sizes,
          default: "full" as const,
          describe: "full, as published: 20 ResNet-18, 1000 images of each class; small: minutes on a CPU",
        })
        .option("data", {
          type: "string",
          describe: "Real data set of a synthetic set without a card, as in --data cifar10 data.root=DIR",
        })
        .option("results", resultsOption)
        .option("out", {
          type: "string",
          describe: "Folder for what is found; by default RESULTS/difficulty/NAME",
        })
        .option("engine", engineOption)
        .option("threads", threadsOption),
    async ({ what, overrides = [], size, data, results, out, engine: asked, threads }) => {
      const subject = await difficultySubject({ what, data, size, overrides });
      const engine = await engineFor(asked ?? "auto", threads);
      const folder = out ?? join(results, "difficulty", slug(subject.label));
      const scored = await difficulty(subject, engine, { out: folder, prepared: join(results, "prepared") });
      print(difficultyText(scored));
      print(`\n${folder}`);
    },
  );
