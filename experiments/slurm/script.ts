import { join } from "node:path";
import { type ArrayJob, logsOf, MERGE, type SlurmSweep } from "./plan.ts";

/** Exit code of a task that has more to do and wants another turn (EX_TEMPFAIL of sysexits.h). */
export const AGAIN = 75;

/** The program that the scripts start, and where from. */
export interface Program {
  /** Path of Node. */
  readonly node: string;
  /** Path of distillery.mjs. */
  readonly distillery: string;
  /** Working folder. */
  readonly folder: string;
  /** Variables to restate, for clusters that do not hand on the environment of sbatch. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Variables that decide how an engine is found and which kernels it uses. */
export const PASSED = ["LIBTORCH", "CUDA_HOME", "DISTILLERY_NATIVE"] as const;

/** Text of the script of an array, or of the job that gathers. It can be read, and submitted by hand. */
export function scriptOf(sweep: SlurmSweep, array: ArrayJob, path: string, program: Program): string {
  const merge = array.phase === MERGE;
  const title = merge
    ? `Sweep ${sweep.name}: gathers the rows and writes the report.`
    : `Sweep ${sweep.name}, phase ${array.phase}: array task N is task ${array.first === 0 ? "N" : `N + ${array.first}`} of this phase in plan.json.`;
  return [
    "#!/usr/bin/env bash",
    `# ${title}`,
    ...directives(sweep, array, path).map((directive) => `#SBATCH ${directive}`),
    "",
    "set -uo pipefail",
    `cd ${quoted(program.folder)} || exit 1`,
    ...Object.entries(program.environment).map(([name, value]) => `export ${name}=${quoted(value)}`),
    ...sweep.options.setup,
    `node=${quoted(program.node)}`,
    'command -v "$node" >/dev/null || node=node',
    ...(merge ? mergeLines(path, program) : taskLines(sweep, array, path, program)),
    "",
  ].join("\n");
}

function directives({ name, options }: SlurmSweep, array: ArrayJob, path: string): string[] {
  const merge = array.phase === MERGE;
  const { partition, time, gpus, cpus, mem, account, qos, constraint, exclude, signal, requeue } = options;
  const log = merge ? `${MERGE}-%j.log` : `${array.phase}-%A_%a.log`;
  const own = merge
    ? []
    : [
        `--array=${indexRanges(array.indices)}${options.throttle === undefined ? "" : `%${options.throttle}`}`,
        // To the shell alone, which hands it on: Slurm may send it a minute earlier than asked for, never later.
        `--signal=B:TERM@${signal}`,
        ...given("gpus", gpus),
        ...given("cpus-per-task", cpus),
        ...given("mem", mem),
      ];
  return [
    `--job-name=${name}.${array.phase}`,
    "--nodes=1",
    "--ntasks=1",
    ...own,
    ...given("partition", partition),
    ...given("time", time),
    ...given("account", account),
    ...given("qos", qos),
    ...given("constraint", constraint && `"${constraint}"`),
    ...given("exclude", exclude),
    requeue ? "--requeue" : "--no-requeue",
    "--open-mode=append",
    // A percent sign of the folder's name is doubled, or Slurm would take it for one of its own.
    `--output="${join(logsOf(path).replaceAll("%", "%%"), log)}"`,
    ...options.sbatch,
  ];
}

const given = (option: string, value: string | number | undefined): string[] =>
  value === undefined ? [] : [`--${option}=${value}`];

function taskLines({ options }: SlurmSweep, array: ArrayJob, path: string, program: Program): string[] {
  const index = array.first === 0 ? '"$SLURM_ARRAY_TASK_ID"' : `$((SLURM_ARRAY_TASK_ID + ${array.first}))`;
  return [
    "",
    "# Slurm tells this shell before the time limit, and once more as it ends the job. The task hears it once and saves",
    "# its state; the first wait ends at the signal, the second one with the task.",
    "told=",
    'trap \'told=yes; trap "" TERM; kill -TERM "${!:-}" 2>/dev/null\' TERM',
    `"$node" ${quoted(program.distillery)} slurm-task ${quoted(path)} ${array.phase} ${index} &`,
    'wait "$!"; code=$?',
    'if [ -n "$told" ]; then wait "$!"; code=$?; fi',
    "trap - TERM",
    "",
    ...(options.requeue ? requeueLines : []),
    'exit "$code"',
  ];
}

/** After a stop or a kill. A job that Slurm itself is ending, as one that was cancelled, is left alone. */
const requeueLines = [
  `# ${AGAIN}: it has more to do. 143: told to stop before it could listen. 137: killed, as for want of memory.`,
  "# Slurm requeues by itself what it pre-empts; what somebody cancels is not to come back.",
  `case $code in ${AGAIN} | 137 | 143)`,
  '  [ "$(squeue -h -j "$SLURM_JOB_ID" -o %t)" = R ] && scontrol requeue "$SLURM_JOB_ID" && sleep 60 ;;',
  "esac",
];

function mergeLines(path: string, program: Program): string[] {
  return [`exec "$node" ${quoted(program.distillery)} slurm-task ${quoted(path)} ${MERGE}`];
}

/** A word of shell, whatever is in it. */
export const quoted = (text: string): string =>
  /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/** "0-2,5,7-8" of ascending indices. */
export function indexRanges(indices: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const index of indices) {
    const last = ranges.at(-1);
    if (last && index === last[1] + 1) last[1] = index;
    else ranges.push([index, index]);
  }
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(",");
}
