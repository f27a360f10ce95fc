import { spawnSync } from "node:child_process";
import { InputError } from "../../src/core/errors.ts";

/** What one of Slurm's commands printed, or why it did not. */
export interface Answer {
  readonly ok: boolean;
  readonly text: string;
  /** Slurm's own words, where it refused. */
  readonly error: string;
}

/** Milliseconds in which a command must answer: a busy controller takes its time, one that is down takes longer. */
const PATIENCE = 120_000;

/** Calls one of Slurm's commands. */
export function ask(command: string, given: readonly string[]): Answer {
  const { error, status, stdout, stderr } = spawnSync(command, given, {
    encoding: "utf8",
    timeout: PATIENCE,
    maxBuffer: 1 << 28, // bytes: squeue lists every task of every array
    // Times in a form that can be read again, whatever the user has set.
    env: { ...process.env, SLURM_TIME_FORMAT: "standard" },
  });
  if (error) return { ok: false, text: "", error: whyNot(command, error as NodeJS.ErrnoException) };
  return { ok: status === 0, text: stdout, error: stderr.trim() };
}

function whyNot(command: string, error: NodeJS.ErrnoException): string {
  if (error.code === "ENOENT") {
    return (
      `Slurm not found: there is no ${command} on PATH; log in to a machine of the cluster that can submit, ` +
      "or start the same sweep on each machine without --slurm"
    );
  }
  return error.code === "ETIMEDOUT"
    ? `Slurm did not answer ${command} within ${PATIENCE / 1000} s`
    : `${command}: ${error.message}`;
}

/**
 * What one of Slurm's commands prints.
 *
 * @throws InputError with Slurm's own words if it refuses.
 */
export function slurm(command: string, given: readonly string[]): string {
  const { ok, text, error } = ask(command, given);
  if (!ok) throw new InputError(error === "" ? `${command}: Slurm refused without a reason` : error);
  return text;
}
