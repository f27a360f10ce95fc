import type { Argv } from "yargs";
import { check, wholeNumber } from "../../src/core/errors.ts";
import { protocols, type ProtocolId } from "../../src/evaluation/protocols.ts";
import { pools } from "../../src/evaluation/pools.ts";
import { networks as architectures } from "../../src/networks/index.ts";
import { evaluateForeign, evaluateRun } from "../commands/evaluate.ts";
import { accuracyText } from "../commands/evaluationText.ts";
import { isRun, readRun } from "../runFolder.ts";
import { engineFor, engineOption, print, threadsOption } from "./shared.ts";

/** Pools and architectures that --networks knows. */
const epilogue = [
  "Pools of architectures for --networks:",
  ...Object.entries(pools).map(([name, { description }]) => `  ${name.padEnd(14)}${description}`),
  `Architectures: ${Object.keys(architectures).join(", ")}.`,
  "ConvNets of a pool have the depth and width of the run's own. An architecture",
  "that is named has its usual options, or those that the config has for it.",
].join("\n");

/** What `--networks` means: a number as it always did, or words. */
function askedNetworks({ networks, count }: { networks?: string | undefined; count?: number | undefined }): {
  networks: number | undefined;
  architectures: string[] | undefined;
} {
  const isNumber = networks !== undefined && Number.isFinite(Number(networks));
  if (!isNumber) return { networks: count, architectures: networks?.split(",") };
  check(
    count === undefined,
    () => `--networks ${networks}: expected names beside --count ${count}, got a number`,
  );
  return { networks: wholeNumber("--networks", Number(networks), 1), architectures: undefined };
}

const optionsOf = (command: Argv) =>
  command
    .positional("path", {
      type: "string",
      demandOption: true,
      describe: "Run, exported folder, safetensors or npz file, or folder of images by class",
    })
    .positional("overrides", {
      type: "string",
      array: true,
      describe: "key=value, as in evaluation.network.norm=batch",
    })
    .option("protocol", {
      choices: Object.keys(protocols) as ProtocolId[],
      describe: "How they are trained",
    })
    .option("networks", {
      type: "string",
      describe: "Architectures to train: pools and names, as in all or mlp,vgg11; or a number, as --count",
    })
    .option("count", { type: "number", describe: "How many of each; by default the config's number" })
    .option("data", {
      type: "string",
      describe: "Real data set that judges a set without a card, as in --data cifar10 data.root=DIR",
    })
    .option("results", {
      type: "string",
      describe: "Results folder that keeps the rows of a set that is no run's",
    })
    .option("name", { type: "string", describe: "What such a set is called there" })
    .option("engine", engineOption)
    .option("threads", threadsOption)
    .option("force", { type: "boolean", default: false, describe: "Train again those that have a row" })
    .example("$0 evaluate RUN --networks all", "How its images do on six architectures")
    .epilogue(epilogue);

export const evaluateCommand = (cli: Argv): Argv =>
  cli.command(
    "evaluate <path> [overrides..]",
    "Train fresh networks on a run's images, or on any synthetic set, and test them",
    optionsOf,
    async ({ path, overrides = [], engine: asked, threads, data, results, name, ...given }) => {
      const options = { ...given, ...askedNetworks(given) };
      if (isRun(path)) {
        const given = Object.entries({ data, results, name }).find(([, value]) => value !== undefined);
        check(
          given === undefined,
          () => `--${given![0]}: expected none, as ${path} is a run and knows its own`,
        );
        const run = readRun(path, overrides);
        const engine = await engineFor(asked ?? run.experiment.engine, threads);
        print(accuracyText(await evaluateRun(run, engine, options)));
        return;
      }
      const engine = await engineFor(asked ?? "auto", threads);
      const { rows, notes } = await evaluateForeign(path, engine, {
        ...options,
        overrides,
        data,
        results,
        name,
      });
      print(accuracyText(rows));
      notes.forEach(print);
    },
  );
