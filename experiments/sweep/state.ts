import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { evaluatedRows, isEvaluated } from "../commands/evaluate.ts";
import { failureTime } from "../failure.ts";
import { isHeld } from "../lock.ts";
import { fileOf, isDone, lockOf, type RunFolder } from "../runFolder.ts";

/** How far a run is. */
export interface RunState {
  readonly is: "done" | "running" | "failed" | "begun" | "new";
  /** Steps done and kept. */
  readonly step: number;
  /** Evaluation networks trained, of those that the config asks for. */
  readonly networks: number;
}

/** How far a run is, by what lies in its folder. */
export function stateOf(run: RunFolder): RunState {
  const { steps, evaluation } = run.experiment;
  if (isDone(run)) {
    if (isEvaluated(run)) return { is: "done", step: steps, networks: evaluation.networks };
    const networks = evaluatedRows(run, { force: false }).length;
    return { is: failureTime(run) > 0 ? "failed" : "begun", step: steps, networks };
  }
  const step = checkpointStep(run);
  const is = isHeld(lockOf(run)) ? "running" : failureTime(run) > 0 ? "failed" : step > 0 ? "begun" : "new";
  return { is, step, networks: 0 };
}

/** Steps that the run's checkpoint has done, by its header alone; 0 without one. */
function checkpointStep(run: RunFolder): number {
  const path = fileOf(run, "checkpoint");
  if (!existsSync(path)) return 0;
  const file = openSync(path, "r");
  try {
    const length = Buffer.alloc(8);
    readSync(file, length, 0, 8, 0);
    const header = Buffer.alloc(Number(length.readBigUInt64LE()));
    readSync(file, header, 0, header.length, 8);
    const { __metadata__: metadata } = JSON.parse(header.toString("utf8")) as {
      readonly __metadata__: { readonly structure: string };
    };
    return (JSON.parse(metadata.structure) as { readonly step: number }).step;
  } finally {
    closeSync(file);
  }
}
