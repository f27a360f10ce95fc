import { InputError, nearest } from "../../src/core/errors.ts";
import { engineFor } from "../cli/shared.ts";
import { Busy, Stopped } from "../failure.ts";
import { forgetFailure } from "../gather.ts";
import { isDone } from "../runFolder.ts";
import type { Phase, Task } from "../tasks.ts";
import { exitCodes } from "./exit.ts";

/**
 * The task of an id.
 *
 * @throws InputError if there is none, with the nearest.
 */
export function findTask(phases: readonly Phase[], id: string): Task {
  const tasks = phases.flatMap((phase) => phase.tasks);
  const found = tasks.find((task) => task.id === id);
  if (found) return found;
  const ids = tasks.map((task) => task.id);
  const near = nearest(id, ids);
  throw new InputError(
    `--task: expected one of ${ids.length} tasks, as ${ids.slice(0, 3).join(", ")}, got ${JSON.stringify(id)}` +
      (near === undefined ? "" : `; did you mean ${near}?`),
  );
}

/**
 * Does one task in this process, as the sweep or a scheduler asks for it.
 *
 * @param options.engine instead of the config's.
 * @returns the exit code: `busy` where another process is at the task, `stopped` where a signal ended it.
 */
export async function performTask(
  task: Task,
  { engine: asked, threads }: { readonly engine: string | undefined; readonly threads: number | undefined },
  print: (line: string) => void,
): Promise<number> {
  if (task.isDone()) {
    print(`${task.id}: done before`);
    return exitCodes.done;
  }
  endWithParent();
  const engine = await engineFor(asked ?? task.experiment.engine, threads);
  try {
    await task.perform(engine);
    if (task.run && isDone(task.run)) forgetFailure(task.run);
    print(`${task.id}: ${task.outcome()}`);
    return exitCodes.done;
  } catch (error) {
    if (!(error instanceof Busy || error instanceof Stopped)) throw error;
    print(error.message);
    return error instanceof Busy ? exitCodes.busy : exitCodes.stopped;
  }
}

/** A process that a sweep started does not outlive it: it saves what it has and ends. */
function endWithParent(): void {
  if (process.channel === undefined) return;
  process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
  process.channel.unref();
}
