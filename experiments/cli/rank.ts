import type { Argv } from "yargs";
import { check } from "../../src/core/errors.ts";
import { rankingProtocols, type RankingProtocolId } from "../../src/evaluation/rankingProtocols.ts";
import { rankedSubject, rankSubject } from "../commands/rank.ts";
import { takenAccuracies, tunings } from "../rank/record.ts";
import { plainAccuracy, rankingText, type ShownRanking } from "../rank/text.ts";
import { engineFor, engineOption, preparedOption, print, resultsOption, threadsOption } from "./shared.ts";

const epilogue = [
  "Protocols:",
  ...Object.values(rankingProtocols).map(({ id, description }) => `  ${id}: ${description}`),
  "Networks on all real images and on random ones are kept among the preparations, and other sets of",
  "the data set share them; a command that was stopped goes on where it was.",
].join("\n");

const optionsOf = (command: Argv) =>
  command
    .positional("paths", {
      type: "string",
      array: true,
      demandOption: true,
      describe:
        "Runs, exported folders, safetensors or npz files, folders of images by class; and key=value, as in data.root=DIR",
    })
    .option("protocol", {
      choices: Object.keys(rankingProtocols) as RankingProtocolId[],
      default: "ddranking" as const,
      describe: "How networks are trained",
    })
    .option("networks", {
      type: "number",
      describe: "Evaluation seeds, networks of each kind; by default the protocol's number",
    })
    .option("tune", {
      choices: tunings,
      default: "holdout" as const,
      describe:
        "What learning rates are chosen by: held-out training images, or as published the test images",
    })
    .option("accuracy", {
      choices: takenAccuracies,
      default: "last" as const,
      describe: "After the last epoch, or as published the best of several looks at the test images",
    })
    .option("data", {
      type: "string",
      describe: "Real data set of sets without a card, as in --data cifar10 data.root=DIR",
    })
    .option("results", {
      ...resultsOption,
      describe: "Results folder that keeps the scores of sets that are no run's",
    })
    .option("prepared", preparedOption)
    .option("name", { type: "string", describe: "What such a set is called there" })
    .option("engine", engineOption)
    .option("threads", threadsOption)
    .option("force", {
      type: "boolean",
      default: false,
      describe: "Train networks on the sets again, and replace a set of the same name",
    })
    .example("$0 rank results/runs/*/seed-0 --protocol ddranking-quick", "Scores of several runs, on a CPU")
    .epilogue(epilogue);

export const rankCommand = (cli: Argv): Argv =>
  cli.command(
    "rank <paths..>",
    "Ranking scores of synthetic sets: label-robust (LRS) and augmentation-robust (ARS)",
    optionsOf,
    async ({ paths: given, accuracy: take, engine: asked, threads, ...options }) => {
      const isOverride = (text: string): boolean => /^(data|evaluation)\.[\w.]+=/.test(text);
      const paths = given.filter((text) => !isOverride(text));
      check(paths.length > 0, () => "rank: expected the path of a run or of a synthetic set, got none");
      check(
        options.name === undefined || paths.length === 1,
        () => `--name: expected one set to name, got ${paths.length}; rank them one after another`,
      );
      const overrides = given.filter(isOverride);
      const subjects = [];
      for (const path of paths) subjects.push(await rankedSubject(path, { ...options, overrides }));
      const engine = await engineFor(asked ?? "auto", threads);
      const shown: ShownRanking[] = [];
      for (const subject of subjects) {
        const ranking = await rankSubject(subject, engine, { ...options, take });
        const { label, folder, experiment } = subject;
        const accuracy = plainAccuracy(folder, experiment.evaluation.protocol, ranking);
        shown.push({ label, ranking, accuracy });
      }
      print(rankingText(shown));
      subjects.forEach(({ folder }) => print(`${folder.path}/ranking.json`));
    },
  );
