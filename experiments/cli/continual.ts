import type { Argv } from "yargs";
import { check, InputError } from "../../src/core/errors.ts";
import { continual } from "../commands/continual.ts";
import { readExperiment } from "../config.ts";
import { engineFor, engineOption, preparedOption, print, resultsOption, threadsOption } from "./shared.ts";

const epilogue =
  "Each config's method makes the memories; its evaluation says how networks are trained on them. " +
  "Its seeds have no part in this: an order's seed is that of its memories, too.";

export const continualCommand = (cli: Argv): Argv =>
  cli.command(
    "continual <configs..>",
    "Class-incremental learning: classes come in steps, and networks learn from the memories of all steps so far",
    (command) =>
      command
        .positional("configs", {
          type: "string",
          array: true,
          demandOption: true,
          describe: "YAML files, one for each method, and key=value for all of them, as in data.root=DIR",
        })
        .option("steps", {
          type: "number",
          default: 5,
          describe: "Steps that the classes come in, as many each",
        })
        .option("orders", {
          type: "string",
          default: "0..4",
          describe: "Seeds of the orders of the classes, as in 0..4 or 0,2",
        })
        .option("count", {
          type: "number",
          default: 3,
          describe: "Networks trained after every step of every order",
        })
        .option("results", resultsOption)
        .option("prepared", preparedOption)
        .option("engine", engineOption)
        .option("threads", threadsOption)
        .option("name", {
          type: "string",
          describe: "Name of the results of a single config; by default the config's",
        })
        .option("force", { type: "boolean", default: false, describe: "Replace what is there" })
        .example("$0 continual random-cifar10 dm-cifar10 data.root=DIR", "Two methods side by side")
        .epilogue(epilogue),
    async ({ configs: given, orders, engine: asked, threads, name, ...options }) => {
      const overrides = given.filter((text) => text.includes("="));
      const paths = given.filter((text) => !text.includes("="));
      check(paths.length > 0, () => "continual: expected at least one config, got overrides alone");
      check(
        name === undefined || paths.length === 1,
        () => `--name: expected one config to name, got ${paths.length}; each has the name of its file`,
      );
      const read = paths.map((path) => readExperiment(path, overrides));
      const experiments = read.map((one) => ({ ...one, name: name ?? one.name }));
      const engine = await engineFor(asked ?? experiments[0]!.engine, threads);
      const { table, paths: written } = await continual(experiments, engine, {
        ...options,
        orders: seedsIn(orders),
      });
      print(`\n${table}`);
      written.forEach(print);
    },
  );

/** Seeds as a range with both ends, or as a list. @throws InputError for anything else. */
function seedsIn(text: string): number[] {
  const [, first, last] = /^(\d+)\.\.(\d+)$/.exec(text) ?? [];
  if (first !== undefined && Number(last) >= Number(first)) {
    return Array.from({ length: Number(last) - Number(first) + 1 }, (_, i) => Number(first) + i);
  }
  if (/^\d+(,\d+)*$/.test(text)) return text.split(",").map(Number);
  throw new InputError(`--orders: expected seeds, as in 0..4 or 0,2, got ${text}`);
}
