// First, so that the schema of configs knows its method.
import "./preparedMethod.ts";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { ownerOf } from "../../experiments/lock.ts";
import { fileOf, lockOf } from "../../experiments/runFolder.ts";
import { type Cluster, startCluster, until } from "./cluster.ts";
import { small, sweepOnDisk, type SweepOnDisk } from "./sweeps.ts";

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ nodes: { n1: 2, n2: 2 } });
  process.env.SLURM_CONF = cluster.environment.SLURM_CONF;
});
afterAll(async () => {
  await cluster.stop();
});

/** "1_3 R" of every task and job in the queue. */
const queue = (): string[] =>
  cluster
    .slurm("squeue", "-h", "-r", "-o", "%i %t")
    .split("\n")
    .filter((line) => line !== "");
const isEmpty = (name: string): boolean => !cluster.slurm("squeue", "-h", "-o", "%j").includes(`${name}.`);
const runningOf = (array: string): number =>
  queue().filter((line) => line.startsWith(`${array}_`) && line.endsWith(" R")).length;
const runningOn = (node: string): string[] =>
  cluster
    .slurm("squeue", "-h", "-r", "-t", "R", "-w", node, "-o", "%i")
    .split("\n")
    .filter((line) => line !== "");
const checkpointOf = ({ results }: SweepOnDisk, id: string): boolean =>
  existsSync(fileOf({ path: join(results, "runs", id) }, "checkpoint"));
const submissionsIn = ({ results }: SweepOnDisk): string[] => {
  const folder = join(results, "slurm");
  return existsSync(folder) ? readdirSync(folder) : [];
};

test("a sweep loses nothing to a node drained, tasks pre-empted and killed, and ends with the bits of a local one", async () => {
  const sweep = sweepOnDisk(
    "whole",
    {
      config: { ...small, steps: 250 },
      grid: {
        method: { random: { objective: null, steps: 0 }, dm: {}, slow: { steps: 300 } },
        "data.imbalance": [1, 2],
      },
      slurm: { throttle: 3, cpus: 1 },
    },
    cluster.environment,
  );
  const submitted = await sweep.run("--slurm");
  expect(submitted.output).toContain("whole: 6 tasks submitted, 0 done before, 0 in the queue already");
  const [array] = /job (\d+)/.exec(submitted.output)!.slice(1) as [string];
  const ids = [
    "random_imbalance-1",
    "random_imbalance-2",
    "dm_imbalance-1",
    "dm_imbalance-2",
    "slow_imbalance-1",
    "slow_imbalance-2",
  ];
  const id = (index: number): string => `${ids[index]!}/seed-0`;

  const again = sweep.run("--slurm");
  const atMost: number[] = [];
  const reaches = async (holds: () => boolean, what: string): Promise<void> => {
    await until(() => (atMost.push(runningOf(array)), holds()), 120, what);
  };

  // One that has a checkpoint is pre-empted: it saves, and goes on from there later.
  await reaches(() => checkpointOf(sweep, id(2)), "a checkpoint");
  cluster.slurm("scontrol", "requeue", `${array}_2`);
  const requeued = sweep.status();
  expect(requeued.counts).toMatchObject({ lost: 0, failed: 0, open: 0, unknown: 0 });
  expect(["pending", "running"]).toContain(requeued.tasks[2]!.state);

  // A node is drained: what runs there ends there, and nothing new starts on it.
  cluster.slurm("scontrol", "update", "NodeName=n1", "State=DRAIN", "Reason=test");
  const drained = runningOn("n1");
  // Read before anything is killed: what is lost it would submit.
  expect((await again).output).toMatch(/whole: 0 tasks submitted, \d done before, \d in the queue already/);

  // The process of another is killed with no time to save, as where memory runs out: its job queues again by itself.
  await reaches(() => checkpointOf(sweep, id(3)), "a checkpoint to be killed after");
  process.kill(ownerOf(lockOf({ path: join(sweep.results, "runs", id(3)) }))!.pid, "SIGKILL");

  // One more is killed by Slurm, which counts it as cancelled: it is lost until it is submitted again.
  await reaches(() => checkpointOf(sweep, id(4)), "another checkpoint");
  const running = sweep.status().tasks[4]!;
  expect(running).toMatchObject({ id: id(4), state: "running", steps: 300, job: `${array}_4` });
  expect(["n1", "n2"]).toContain(running.node);
  expect(running.step).toBeGreaterThanOrEqual(10);
  cluster.slurm("scancel", "--signal=KILL", `${array}_4`);
  expect(submissionsIn(sweep)).toEqual(["whole-1"]);
  await reaches(() => !queue().some((line) => line.startsWith(`${array}_4 `)), "the killed task's end");
  const lost = sweep.status();
  expect(lost.tasks[4]).toMatchObject({ id: id(4), state: "lost", job: `${array}_4` });
  expect(lost.notes.join(" ")).toContain("to try it again: distillery sweep");
  expect(drained).toEqual(expect.arrayContaining(runningOn("n1")));
  cluster.slurm("scontrol", "update", "NodeName=n1", "State=RESUME");
  expect((await sweep.run("--slurm")).output).toMatch(/whole: 1 task submitted, /);
  expect(submissionsIn(sweep).sort()).toEqual(["whole-1", "whole-2"]);

  await reaches(() => isEmpty("whole"), "the end of the sweep");
  const done = JSON.parse((await sweep.run("--status", "--json")).output) as unknown;
  expect(done).toMatchObject({ counts: { done: 6, lost: 0, failed: 0 }, secondsLeft: 0, notes: [] });
  expect(Math.max(...atMost)).toBe(3);
  const logs = (submission: string, log: string): string =>
    readFileSync(join(sweep.results, "slurm", submission, "logs", log), "utf8");
  expect(sweep.attempts("whole-1", 2).map(({ outcome }) => outcome)).toEqual(["stopped", "done"]);
  expect(sweep.attempts("whole-1", 3).map(({ outcome }) => outcome)).toEqual([undefined, "done"]);
  expect(logs("whole-1", `run-${array}_2.log`)).toMatch(/goes on from step [1-9]\d+\n/);
  expect(logs("whole-1", `run-${array}_3.log`)).toMatch(/goes on from step [1-9]\d*0\n/);
  const second = readdirSync(join(sweep.results, "slurm", "whole-2", "logs")).find((name) =>
    name.endsWith("_4.log"),
  )!;
  expect(logs("whole-2", second)).toMatch(/goes on from step [1-9]\d*\n/);
  expect(existsSync(join(sweep.results, "report.html"))).toBe(true);
  expect(sweep.accuracies()).toHaveLength(12);
  expect(sweep.accuracies()).toEqual(await sweep.locally());
});

test("the time limit is no end: the task saves before it and goes on; what is cancelled does not come back", async () => {
  const endless = { config: { ...small, steps: 1_000_000 }, grid: { imagesPerClass: [1] } };
  const sweep = sweepOnDisk("limited", endless, cluster.environment);
  expect((await sweep.run("--slurm", "--time", "1", "--signal", "15", "--no-report")).code).toBe(0);
  await until(() => sweep.attempts("limited-1", 0).length === 2, 150, "a second start");
  const [first, second] = sweep.attempts("limited-1", 0);
  expect(first).toMatchObject({ outcome: "limit", step: 0 });
  expect(second!.step).toBeGreaterThan(0);
  const { job } = second!;
  const log = (): string =>
    readFileSync(join(sweep.results, "slurm", "limited-1", "logs", `run-${job}.log`), "utf8");
  await until(() => log().includes(`goes on from step ${second!.step}`), 60, "a resumed run");
  cluster.slurm("scancel", job);
  await until(() => isEmpty("limited"), 60, "the end of a cancelled task");
  expect(sweep.status().tasks).toMatchObject([{ state: "lost", note: "cancelled", job }]);
});

test("spread over phases, with what runs share made before them, the rows are the same", async () => {
  const content = {
    config: { ...small, steps: 20, objective: { name: "prepared", realBatch: 4 } },
    grid: { imagesPerClass: [1, 2] },
    slurm: { cpus: 1 },
  };
  const sweep = sweepOnDisk("spread", content, cluster.environment);
  const { output, errors } = await sweep.run("--slurm", "--spread");
  expect(errors).toBe("");
  expect(output).toContain("spread: 12 tasks submitted"); // 3 parts and 3 that need them, 2 sets, 2 networks on each
  expect(output.match(/\w+(?=\.sbatch)/g)).toEqual(["prepare", "distill", "evaluate", "merge"]);
  const waiting = (): string[] =>
    sweep
      .status()
      .tasks.filter(({ phase }) => phase === "evaluate")
      .map(({ state, note }) => `${state}: ${note!}`);
  await until(
    () => waiting().every((said) => said === "pending: waits for the phase before"),
    30,
    "the wait",
  );
  expect(waiting()).toHaveLength(4);
  await until(() => isEmpty("spread"), 150, "the end of the sweep");
  expect(sweep.status().counts).toMatchObject({ done: 12 });
  expect(existsSync(join(sweep.results, "report.html"))).toBe(true);
  expect(sweep.accuracies()).toEqual(await sweep.locally());
});

test("what Slurm refuses is said in its words, and leaves nothing behind", async () => {
  const sweep = sweepOnDisk(
    "refused",
    { config: { ...small, steps: 1 }, grid: { imagesPerClass: [1] } },
    cluster.environment,
  );
  const { code, errors } = await sweep.run("--slurm", "--partition", "nowhere");
  expect(code).toBe(1);
  expect(errors).toContain("invalid partition specified: nowhere");
  expect(submissionsIn(sweep)).toEqual([]);
  expect(isEmpty("refused")).toBe(true);
});

test("a task that fails leaves the others alone, its reason as a row, and is tried again when it is submitted again", async () => {
  const grid = { method: { well: {}, broken: { data: { name: "mnist", root: "/nowhere" } } } };
  const sweep = sweepOnDisk("failing", { config: { ...small, steps: 1 }, grid }, cluster.environment);
  await sweep.run("--slurm", "--no-report");
  await until(() => isEmpty("failing"), 100, "the end of the sweep");
  const { counts, tasks } = sweep.status();
  expect(counts).toMatchObject({ done: 1, failed: 1 });
  expect(tasks[1]!.note).toMatch(/mnist/i);
  expect(readFileSync(tasks[1]!.log!, "utf8")).toContain(tasks[1]!.note!.split("\n")[0]!);
  expect((await sweep.run("--slurm", "--dry-run")).output).toContain("1 task to submit, 1 done before");
});
