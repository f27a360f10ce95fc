import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parsed } from "../../src/core/parse.ts";
import { pluralOf } from "../report/labels.ts";
import { slurmSchema } from "../slurm/options.ts";
import { phasesOfSweep, readJobs, type SlurmSweep, type Submission, submissionsOf } from "../slurm/plan.ts";
import { queueOf } from "../slurm/queue.ts";
import { remainingSeconds } from "../slurm/remaining.ts";
import { statusOf } from "../slurm/status.ts";
import { countsOf, statusLines, type SweepStatus } from "../slurm/statusText.ts";
import { jobNames, submit } from "../slurm/submit.ts";
import type { Sweep } from "../sweep/expand.ts";

/** A sweep as the command line asks for it. */
export interface AskedOfSlurm {
  readonly file: string;
  readonly overrides: readonly string[];
  readonly sweep: Sweep;
  readonly results: string;
  readonly prepared: string;
  readonly spread: boolean;
  readonly engine: string | undefined;
  /** Options of jobs that stand in place of the file's; `sbatch` is added to it. */
  readonly jobs: Readonly<Record<string, unknown>>;
}

/** Submits what is open of a sweep. */
export function submitSweep(asked: AskedOfSlurm, dry: boolean, print: (line: string) => void): void {
  const { path, commands, jobs, counts } = submit(slurmSweepOf(asked), { dry });
  const { submitted, done, queued } = counts;
  print(
    `${asked.sweep.name}: ${pluralOf(submitted, "task")} ${dry ? "to submit" : "submitted"}, ${done} done before, ${queued} in the queue already`,
  );
  if (path === undefined) return;
  if (dry) {
    for (const command of commands) print(`  ${command}`);
    print(`not submitted; the scripts are in ${path}, and bash ${path}/submit.sh submits them`);
    return;
  }
  for (const [script, job] of Object.entries(jobs)) print(`  job ${job}  ${path}/${script}`);
  print(`how it goes: distillery ${commandOf(asked)} --status`);
}

/** Says what every task of a sweep is at. */
export function showStatus(asked: AskedOfSlurm, json: boolean, print: (line: string) => void): void {
  const status = statusOfSweep(asked);
  if (json) print(JSON.stringify(status, null, 2));
  else for (const line of statusLines(status)) print(line);
}

/** What every task of a sweep is at, and when all is done. */
export function statusOfSweep(asked: AskedOfSlurm): SweepStatus {
  const given = slurmSweepOf(asked);
  const submissions = submissionsOf(given.results, given.name);
  const latest = submissions.findLast(({ path }) => Object.keys(readJobs(path)).length > 0)?.plan;
  const sweep = { ...given, spread: given.spread || (latest?.spread ?? false) };
  const { jobs, error } = submissions.length > 0 ? queueOf(jobNames(sweep)) : { jobs: [], error: undefined };
  const phases = phasesOfSweep(sweep);
  const tasks = statusOf(phases, { submissions, jobs, error });
  const counts = countsOf(tasks);
  const seconds = remainingSeconds(phases, tasks, latest?.options.throttle);
  const again = counts.lost + counts.failed;
  return {
    sweep: given.name,
    counts,
    secondsLeft: Number.isFinite(seconds) ? seconds : null,
    tasks,
    notes: [
      ...(error === undefined ? [] : [`what is in the queue is unknown: ${error}`]),
      ...strangers(submissions, new Set(tasks.map(({ id }) => id))),
      ...(again > 0 && submissions.length > 0
        ? [`to try ${again === 1 ? "it" : "them"} again: distillery ${commandOf(asked)} --slurm`]
        : []),
    ],
  };
}

/** Tasks that were submitted and are in the file no more. */
function strangers(submissions: readonly Submission[], known: ReadonlySet<string>): string[] {
  const ids = submissions.flatMap(({ plan }) => plan.phases.flatMap(({ tasks }) => tasks));
  // Spread or not, a run's tasks begin with its id.
  const runs = [...known];
  const others = new Set(
    ids.filter(
      (id) => !known.has(id) && !runs.some((own) => own.startsWith(`${id}/`) || id.startsWith(`${own}/`)),
    ),
  );
  return others.size === 0
    ? []
    : [
        `${pluralOf(others.size, "task")} submitted earlier ${others.size === 1 ? "is" : "are"} not in the file any more`,
      ];
}

const commandOf = ({ file, overrides }: AskedOfSlurm): string => ["sweep", file, ...overrides].join(" ");

function slurmSweepOf({
  file,
  overrides,
  sweep,
  results,
  prepared,
  spread,
  engine,
  jobs,
}: AskedOfSlurm): SlurmSweep {
  const { sbatch = [], ...given } = jobs as { readonly sbatch?: readonly string[] };
  return {
    name: sweep.name,
    file: resolve(file),
    text: readFileSync(file, "utf8"),
    overrides,
    experiments: sweep.cells.map(({ experiment }) => experiment),
    results: resolve(results),
    prepared: resolve(prepared),
    spread,
    engine,
    options: parsed("--slurm", slurmSchema, {
      ...sweep.slurm,
      ...given,
      sbatch: [...sweep.slurm.sbatch, ...sbatch],
    }),
  };
}
