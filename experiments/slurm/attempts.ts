import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A start of a task under Slurm and how it ended, kept in the submission's folder: not every cluster has accounts. */
export interface Attempt {
  /** Slurm's number, as 123_7. */
  readonly job: string;
  readonly node: string;
  /** Times in milliseconds since 1970. */
  readonly began: number;
  readonly ended?: number;
  /**
   * How it ended: "limit" is a stop for the time limit, "stopped" any other stop. Without an end it was killed, unless it
   * still runs.
   */
  readonly outcome?: "done" | "stopped" | "limit" | "busy" | "failed";
  readonly error?: string;
  /** What was kept of the task's work when the attempt began; another text later means that it came further. */
  readonly state: string;
  /** Step that it began at; 0 for what has no steps. */
  readonly step: number;
}

const fileOf = (path: string, phase: string, index: number): string =>
  join(path, "attempts", `${phase}-${index}.jsonl`);

/** Notes the start of a task; what it returns notes the end. */
export function beginAttempt(
  [path, phase, index]: readonly [path: string, phase: string, index: number],
  attempt: Omit<Attempt, "ended" | "outcome" | "error">,
): (end: Required<Pick<Attempt, "outcome">> & Pick<Attempt, "error">) => void {
  const file = fileOf(path, phase, index);
  mkdirSync(join(path, "attempts"), { recursive: true });
  appendFileSync(file, `${JSON.stringify(attempt)}\n`);
  return (end) => {
    appendFileSync(file, `${JSON.stringify({ ...end, ended: Date.now() })}\n`);
  };
}

/** All starts of a task, the oldest first. A line that was cut short by a kill is left out. */
export function attemptsOf(path: string, phase: string, index: number): Attempt[] {
  const file = fileOf(path, phase, index);
  if (!existsSync(file)) return [];
  const attempts: Attempt[] = [];
  for (const line of readFileSync(file, "utf8").split("\n").slice(0, -1)) {
    const entry = parsed(line);
    if (entry === undefined) continue;
    if ("began" in entry) attempts.push(entry as Attempt);
    else if (attempts.length > 0) attempts.push({ ...attempts.pop()!, ...entry });
  }
  return attempts;
}

function parsed(line: string): Partial<Attempt> | undefined {
  try {
    return JSON.parse(line) as Partial<Attempt>;
  } catch {
    return undefined;
  }
}

/** Starts that may end without having come any further before the task counts as failed. */
const PATIENCE = 3;

/**
 * Why a task is not started once more: the last three times it was killed, or stopped by the time limit, without having
 * come any further. Pre-emptions do not count.
 *
 * @param state what is kept of its work now.
 * @returns undefined where it may go on.
 */
export function hopeless(attempts: readonly Attempt[], state: string): string | undefined {
  const vain = attempts.filter(
    (attempt) => attempt.state === state && (attempt.outcome === undefined || attempt.outcome === "limit"),
  );
  if (vain.length < PATIENCE) return undefined;
  const limited = vain.filter(({ outcome }) => outcome === "limit").length;
  return limited * 2 >= vain.length
    ? `the time limit ended it ${vain.length} times before it came any further; it needs more --time`
    : `it was killed ${vain.length} times before it came any further; is it short of memory? See --mem, and the log`;
}
