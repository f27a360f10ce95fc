import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { selectEngine } from "../../src/engines/index.ts";
import { gatherRows } from "../../experiments/gather.ts";
import { statusOfSweep } from "../../experiments/commands/slurm.ts";
import { attemptsOf, type Attempt } from "../../experiments/slurm/attempts.ts";
import type { SweepStatus } from "../../experiments/slurm/statusText.ts";
import { readSweep } from "../../experiments/sweep/expand.ts";
import { phasesOf } from "../../experiments/tasks.ts";

const program = fileURLToPath(new URL("../../experiments/distillery.mjs", import.meta.url));
const register = pathToFileURL(fileURLToPath(new URL("register.mjs", import.meta.url))).href;

/** A sweep file in a folder of its own, and the command line on it. */
export interface SweepOnDisk {
  readonly file: string;
  readonly results: string;
  /** Runs `distillery sweep FILE`, with what is given. */
  run(
    ...given: readonly string[]
  ): Promise<{ readonly code: number; readonly output: string; readonly errors: string }>;
  /** What `--status` tells. */
  status(): SweepStatus;
  /** Accuracies of the rows, sorted by run and network: all that must not depend on where it was done. */
  accuracies(results?: string): (readonly unknown[])[];
  /** The same work in this process, without Slurm. */
  locally(): Promise<(readonly unknown[])[]>;
  attempts(submission: string, index: number): Attempt[];
}

/** @param name of the sweep, unique on the cluster. */
export function sweepOnDisk(name: string, content: object, environment: NodeJS.ProcessEnv): SweepOnDisk {
  const folder = mkdtempSync(join(tmpdir(), "distillery-slurm-sweep-"));
  const file = join(folder, `${name}.yaml`);
  const results = join(folder, "results");
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, JSON.stringify(content));
  const sweep: SweepOnDisk = {
    file,
    results,
    run: (...given) =>
      new Promise((resolve) => {
        const child = spawn(process.execPath, [program, "sweep", file, "--results", results, ...given], {
          // Jobs inherit it, and so know the method with a preparation.
          env: { ...environment, NODE_OPTIONS: `--import ${register}` },
          stdio: ["ignore", "pipe", "pipe"],
        });
        let [output, errors] = ["", ""];
        child.stdout.on("data", (text: Buffer) => (output += text.toString()));
        child.stderr.on("data", (text: Buffer) => (errors += text.toString()));
        child.once("close", (code) => {
          resolve({ code: code ?? -1, output, errors });
        });
      }),
    status: () =>
      statusOfSweep({
        ...{ file, overrides: [], sweep: readSweep(file), results, prepared: join(results, "prepared") },
        ...{ spread: false, engine: undefined, jobs: {} },
      }),
    accuracies: (from = results) =>
      gatherRows(from)
        .map((row) => [
          row.experiment,
          row.distillSeed,
          row.evaluationSeed,
          row.accuracy,
          ...row.classAccuracies,
        ])
        .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
    async locally() {
      const local = join(folder, "local");
      const experiments = readSweep(file).cells.map(({ experiment }) => experiment);
      const { engine } = await selectEngine("auto", { threads: 1 });
      try {
        const phases = phasesOf(experiments, {
          results: local,
          prepared: join(local, "prepared"),
          spread: false,
        });
        for (const task of phases.flatMap(({ tasks }) => tasks)) await task.perform(engine);
      } finally {
        engine.close();
      }
      return sweep.accuracies(local);
    },
    attempts: (submission, index) => attemptsOf(join(results, "slurm", submission), "run", index),
  };
  return sweep;
}

/** Generated images and small networks: a step takes milliseconds. */
export const small = {
  data: { name: "procedural", classes: 3, trainPerClass: 12, testPerClass: 8 },
  imagesPerClass: 1,
  network: { depth: 2, width: 4 },
  objective: { name: "dm", realBatch: 4 },
  checkpointEvery: 10,
  evaluation: { protocol: "quick", networks: 2 },
};
