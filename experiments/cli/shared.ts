import { wholeNumber } from "../../src/core/errors.ts";
import { type Engine, selectEngine } from "../../src/engines/index.ts";

/** Writes a line to standard output. */
export const print = (line: string): void => void process.stdout.write(`${line}\n`);

export const resultsOption = {
  type: "string",
  default: "results",
  describe: "Folder of runs, rows and tables",
} as const;
export const preparedOption = {
  type: "string",
  describe: "Folder of what runs share, such as expert trajectories; by default in the results",
} as const;
export const engineOption = {
  type: "string",
  describe: "auto, torch or tfjs; by default the config's",
} as const;
export const threadsOption = {
  type: "number",
  describe: "CPU threads of the torch engine; by default all cores",
} as const;

export const baselineOption = {
  type: "string",
  describe:
    "Method or experiment that paired differences of methods are taken to; by default the first method",
} as const;

/** The engine of a command, which says which one it is. */
export async function engineFor(name: string, threads: number | undefined): Promise<Engine> {
  const options = threads === undefined ? {} : { threads: wholeNumber("--threads", threads, 1) };
  const { engine, reason } = await selectEngine(name, options);
  print(`engine: ${reason}`);
  return engine;
}
