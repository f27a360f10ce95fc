import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { beginAttempt } from "../../../experiments/slurm/attempts.ts";
import {
  phasesOfSweep,
  readSubmission,
  type SlurmSweep,
  submissionsOf,
} from "../../../experiments/slurm/plan.ts";
import { queueOf } from "../../../experiments/slurm/queue.ts";
import { remainingSeconds } from "../../../experiments/slurm/remaining.ts";
import { statusOf, type TaskStatus } from "../../../experiments/slurm/status.ts";
import { countsOf, statusLines } from "../../../experiments/slurm/statusText.ts";
import { arraysOf, jobNames, submit } from "../../../experiments/slurm/submit.ts";
import { fileOf } from "../../../experiments/runFolder.ts";
import { tinySweep, withPrograms } from "./fakes.ts";

const folder = mkdtempSync(join(tmpdir(), "distillery-slurm-fake-"));
const [calls, queue, accounts] = ["calls", "queue", "accounts"].map((name) => join(folder, name)) as [
  string,
  string,
  string,
];

/** Programs that answer as Slurm would: sbatch counts its calls, and the others print what a test has written. */
const programs = {
  sbatch: `echo "$@" >> ${calls}; case "$*" in *refused*) echo "sbatch: error: no" >&2; exit 1;; esac; wc -l < ${calls} | tr -d ' '`,
  squeue: `cat ${queue}`,
  scancel: `echo "cancelled $@" >> ${calls}`,
  scontrol: 'echo "MaxArraySize            = 4"',
  sacct: `cat ${accounts}`,
};
let restore: () => void;
beforeEach(() => {
  for (const file of [calls, queue, accounts]) writeFileSync(file, "");
  restore = withPrograms(programs);
});
afterEach(() => {
  restore();
});
const called = (): string[] => readFileSync(calls, "utf8").split("\n").slice(0, -1);
const queued = (...lines: readonly string[]): void => {
  writeFileSync(queue, lines.map((line) => `${line}\n`).join(""));
};
const statusNow = (sweep: SlurmSweep): TaskStatus[] => {
  const { jobs, error } = queueOf(jobNames(sweep));
  return statusOf(phasesOfSweep(sweep), {
    submissions: submissionsOf(sweep.results, sweep.name),
    jobs,
    error,
  });
};
const runFolder = ({ results }: SlurmSweep, id: string): string => join(results, "runs", id);

describe("submitting", () => {
  test("a phase is one array, or several where Slurm limits indices; all are gathered at last", () => {
    const sweep = tinySweep();
    const { path, jobs, counts } = submit(sweep);
    expect(counts).toEqual({ submitted: 6, queued: 0, done: 0 });
    expect(jobs).toEqual({ "run.sbatch": "1", "run-2.sbatch": "2", "merge.sbatch": "3" });
    expect(called()).toEqual([
      `--parsable ${path}/run.sbatch`,
      `--parsable ${path}/run-2.sbatch`,
      `--parsable --dependency=afterany:1:2 --kill-on-invalid-dep=yes ${path}/merge.sbatch`,
    ]);
    const { plan } = readSubmission(path!);
    expect(plan.arrays.map(({ first, indices }) => [first, indices])).toEqual([
      [0, [0, 1, 2, 3]],
      [4, [0, 1]],
      [0, []],
    ]);
    expect(plan.phases).toEqual([
      { name: "run", tasks: ["a", "b"].flatMap((name) => [0, 1, 2].map((seed) => `${name}/seed-${seed}`)) },
    ]);
  });

  test("with a throttle, arrays of a phase come one after another, or each would take its own share", () => {
    submit(tinySweep({ throttle: 2, report: false }));
    expect(called().map((call) => /afterany:\S+/.exec(call)?.[0])).toEqual([undefined, "afterany:1"]);
  });

  test("spread, evaluation waits for all of distillation", () => {
    const { jobs } = submit(tinySweep({ report: false }, { spread: true }));
    expect(Object.keys(jobs)).toEqual([
      "distill.sbatch",
      "distill-2.sbatch",
      ...["", "-2", "-3"].map((n) => `evaluate${n}.sbatch`),
    ]);
    expect(called().map((call) => /afterany:\S+/.exec(call)?.[0])).toEqual([
      undefined,
      undefined,
      ...Array.from({ length: 3 }, () => "afterany:1:2"),
    ]);
  });

  test("indices keep their meaning: what is open, in arrays of at most so many", () => {
    expect(arraysOf("run", [0, 5, 9], 4)).toEqual([
      { script: "run.sbatch", phase: "run", first: 0, indices: [0] },
      { script: "run-2.sbatch", phase: "run", first: 4, indices: [1] },
      { script: "run-3.sbatch", phase: "run", first: 8, indices: [1] },
    ]);
  });

  test("what is in the queue is not submitted again, whoever asks and however it is spread", () => {
    const sweep = tinySweep({ report: false });
    const { path } = submit(sweep);
    queued(
      `1_0|1|0|R|None|n1|0:10|N/A|${path!}/run.sbatch`,
      `1_1|1|1|PD|Priority||0:00|N/A|${path!}/run.sbatch`,
      `2_1|2|1|PD|Priority||0:00|N/A|${path!}/run-2.sbatch`,
      `9_2|9|2|PD|Priority||0:00|N/A|/elsewhere/run.sbatch`,
    );
    const second = submit(sweep);
    expect(second.counts).toEqual({ submitted: 3, queued: 3, done: 0 });
    expect(readSubmission(second.path!).plan.arrays.map(({ first, indices }) => [first, indices])).toEqual([
      [0, [2, 3]],
      [4, [0]],
    ]);
    const spread = submit({ ...sweep, spread: true });
    expect(spread.counts).toEqual({ submitted: 3 + 6, queued: 3 + 6, done: 0 });
  });

  test("an evaluation waits for distillations of an earlier submission", () => {
    const sweep = tinySweep({ report: false }, { spread: true });
    const { path } = submit(sweep);
    queued(`1_0|1|0|R|None|n1|0:10|N/A|${path!}/distill.sbatch`);
    writeFileSync(calls, "");
    submit(sweep);
    expect(
      called()
        .filter((call) => call.includes("evaluate"))
        .map((call) => /afterany:\S+/.exec(call)![0]),
    ).toEqual(Array.from({ length: 3 }, () => "afterany:1:2:1"));
  });

  test("where Slurm refuses one of the scripts, what it has taken is cancelled and nothing is left", () => {
    const sweep = tinySweep({}, { name: "refused" });
    // The first of its scripts is taken.
    restore();
    restore = withPrograms({
      ...programs,
      sbatch: `echo "$@" >> ${calls}; case "$*" in *run-2*) echo "sbatch: error: no" >&2; exit 1;; esac; echo 7`,
    });
    expect(() => submit(sweep)).toThrow("sbatch: error: no");
    expect(called().at(-1)).toBe("cancelled 7");
    expect(readdirSync(join(sweep.results, "slurm"))).toEqual([]);
  });

  test("without Slurm it says so, and a dry run does without", () => {
    restore();
    restore = withPrograms({});
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    const sweep = tinySweep();
    process.env.PATH = folder;
    expect(() => submit(sweep)).toThrow("Slurm not found: there is no squeue on PATH");
    expect(existsSync(join(sweep.results, "slurm"))).toBe(false);
    const { path, commands } = submit(sweep, { dry: true });
    expect(commands).toEqual([
      `run=$(sbatch --parsable ${path!}/run.sbatch)`,
      `merge=$(sbatch --parsable --dependency=afterany:$run --kill-on-invalid-dep=yes ${path!}/merge.sbatch)`,
    ]);
    expect(readFileSync(join(path!, "submit.sh"), "utf8")).toContain(commands.join("\n"));
  });
});

describe("the status", () => {
  /** A sweep of which 1_0 … 1_3 and 2_0, 2_1 were submitted, with a run under way. */
  function underWay() {
    const sweep = tinySweep({ report: false });
    const { path } = submit(sweep);
    const metrics = fileOf({ path: runFolder(sweep, "a/seed-0") }, "metrics");
    mkdirSync(dirname(metrics), { recursive: true });
    writeFileSync(metrics, '{"step":1,"loss":0.5,"gradientNorm":1}\n');
    beginAttempt([path!, "run", 0], { job: "1_0", node: "n1", began: Date.now() - 4000, state: "", step: 0 });
    beginAttempt([path!, "run", 1], { job: "1_1", node: "n1", began: 0, state: "", step: 0 })({
      outcome: "stopped",
    });
    beginAttempt([path!, "run", 2], { job: "1_2", node: "n2", began: 0, state: "", step: 0 });
    beginAttempt([path!, "run", 3], { job: "1_3", node: "n2", began: 0, state: "", step: 0 })({
      outcome: "failed",
      error: "no data",
    });
    queued(
      `1_0|1|0|R|None|n1|0:10|N/A|${path!}/run.sbatch`,
      `1_1|1|1|PD|BeginTime||0:00|N/A|${path!}/run.sbatch`,
      `2_0|2|0|TO|TimeLimit||1:00|N/A|${path!}/run-2.sbatch`,
    );
    writeFileSync(accounts, "2_1|OUT_OF_MEMORY\n");
    return { sweep, path: path! };
  }

  test("each task's state, from the queue, the results and what was noted of its starts", () => {
    const { sweep, path } = underWay();
    const states = statusNow(sweep);
    expect(states.map(({ id, job, state, note }) => [id, job, state, note])).toEqual([
      ["a/seed-0", "1_0", "running", undefined],
      ["a/seed-1", "1_1", "pending", "goes on after a stop; starts again in a moment"],
      ["a/seed-2", "1_2", "lost", "was killed on n2"],
      ["b/seed-0", "1_3", "failed", "no data"],
      ["b/seed-1", "2_0", "lost", "ended by the time limit"],
      ["b/seed-2", "2_1", "lost", "ran out of memory; ask for more with --mem"],
    ]);
    expect(states[0]).toMatchObject({ node: "n1", step: 1, steps: 2, loss: 0.5 });
    expect(states[0]!.secondsLeft).toBeGreaterThanOrEqual(4);
    expect(states[0]!.secondsLeft).toBeLessThan(30);
    expect(states[2]!.log).toBe(join(path, "logs", "run-1_2.log"));
  });

  test("in lines for people: trouble first, with its log", () => {
    const { sweep, path } = underWay();
    const tasks = statusNow(sweep).map((task) => ({
      ...task,
      ...(task.secondsLeft ? { secondsLeft: 4 } : {}),
    }));
    expect(
      statusLines({ sweep: "tiny", counts: countsOf(tasks), secondsLeft: null, tasks, notes: [] }),
    ).toEqual([
      "tiny: 6 tasks: 1 pending, 1 running, 3 lost, 1 failed",
      "  b/seed-0  failed   1_3       no data",
      `      log: ${path}/logs/run-1_3.log`,
      "  a/seed-2  lost     1_2       was killed on n2",
      `      log: ${path}/logs/run-1_2.log`,
      "  b/seed-1  lost     2_0       ended by the time limit",
      `      log: ${path}/logs/run-2_0.log`,
      "  b/seed-2  lost     2_1       ran out of memory; ask for more with --mem",
      `      log: ${path}/logs/run-2_1.log`,
      "  a/seed-0  running  1_0       step 1/2, loss 0.5000, 4.0 s left, on n1",
      "  a/seed-1  pending  1_1       goes on after a stop; starts again in a moment",
    ]);
  });

  test("tasks that are alike are counted where they are many", () => {
    const tasks = Array.from(
      { length: 500 },
      (_, i) => ({ id: `a/seed-${i}`, phase: "run", state: "pending", note: "others come first" }) as const,
    );
    const lines = statusLines({
      sweep: "tiny",
      counts: countsOf(tasks),
      secondsLeft: 3600,
      tasks,
      notes: [],
    });
    expect(lines[0]).toBe("tiny: 500 tasks: 500 pending; about 1 h 00 min left");
    expect(lines.length).toBeLessThan(20);
    expect(lines.at(-1)).toBe("  and 488 more pending like these");
  });

  test("where Slurm does not answer, what was submitted is unknown, not lost", () => {
    const { sweep } = underWay();
    restore();
    restore = withPrograms({
      squeue: "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1",
    });
    expect(statusNow(sweep).map(({ state }) => state)).toEqual([
      "unknown",
      "unknown",
      "unknown",
      "failed",
      "unknown",
      "unknown",
    ]);
  });

  test("before anything is submitted all is open, and how long it takes is not known", () => {
    const sweep = tinySweep();
    const tasks = statusNow(sweep);
    expect(tasks.map(({ state }) => state)).toEqual(Array.from({ length: 6 }, () => "open"));
    const pending = tasks.map((task) => ({ ...task, state: "pending" }) as const);
    expect(remainingSeconds(phasesOfSweep(sweep), pending)).toBeNaN();
  });
});
