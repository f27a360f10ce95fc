import { expect, test } from "@jest/globals";
import { inWords, isAlive, parseEnds, parseQueue, secondsOf } from "../../../experiments/slurm/queue.ts";

/** As squeue of Slurm 22.05 printed it, but for the states that take days to come by. */
const recorded = `\
7_2|7|2|PD|JobArrayTaskLimit||0:00|N/A|/r/slurm/tiny-1/run.sbatch
7_0|7|0|R|None|n1|1-02:03:04|2026-11-21T18:50:04|/r/slurm/tiny-1/run.sbatch
7_1|7|1|CG|None|n2|0:03|2026-11-21T18:50:04|/r/slurm/tiny-1/run.sbatch
8|8|N/A|PD|Dependency||0:00|N/A|/r/slurm/tiny-1/merge.sbatch
9_0|9|0|PD|ReqNodeNotAvail, UnavailableNodes:n[1-2]||0:00|2026-11-22T00:00:00|/r/a|b/slurm/tiny-1/run.sbatch
9_1|9|1|OOM|OutOfMemory|n1|0:12|2026-11-21T18:50:04|/r/slurm/tiny-1/run.sbatch
9_2|9|2|RH|JobHeldUser||0:00|N/A|/r/slurm/tiny-1/run.sbatch
9_3|9|3|XX|Whatever||0:00|N/A|/r/slurm/tiny-1/run.sbatch
9_4|9|4|PD|BurstBufferStageIn||0:00|N/A|/r/slurm/tiny-1/run.sbatch
9_5|9|5|PD|launch failed requeued held||0:00|N/A|/r/slurm/tiny-1/run.sbatch
`;
const jobs = parseQueue(recorded);

test("each line of squeue is a job, whatever its folder is called", () => {
  expect(jobs).toHaveLength(10);
  expect(jobs[1]).toEqual({
    id: "7_0",
    array: "7",
    index: 0,
    state: "R",
    reason: "None",
    nodes: "n1",
    elapsed: 93784,
    start: new Date("2026-11-21T18:50:04"),
    script: "/r/slurm/tiny-1/run.sbatch",
  });
  expect(jobs[3]).toMatchObject({ id: "8", index: undefined, start: undefined });
  expect(jobs[4]!.script).toBe("/r/a|b/slurm/tiny-1/run.sbatch");
});

test("what ended is not in the queue; an unknown state is taken to be, so that nothing is done twice", () => {
  expect(jobs.filter((job) => !isAlive(job)).map(({ id }) => id)).toEqual(["9_1"]);
});

test("states and reasons in words; a reason that we have none for keeps its name", () => {
  expect(jobs.map(inWords)).toEqual([
    "as many run as the throttle allows",
    "runs",
    "ends",
    "waits for the phase before",
    "a node that it needs is not available",
    "ran out of memory; ask for more with --mem",
    "held after it was requeued",
    "in state XX",
    "BurstBufferStageIn",
    "held since its start failed; scontrol release lets it go",
  ]);
});

test.each([
  ["0:00", 0],
  ["1:02", 62],
  ["2:03:04", 7384],
  ["1-00:00:01", 86401],
  ["INVALID", NaN],
  ["UNLIMITED", NaN],
  ["", NaN],
])("%s is %d seconds", (text, seconds) => {
  expect(secondsOf(text)).toBe(seconds);
});

test("accounts say how jobs ended; steps and what still runs are left out", () => {
  const ends = parseEnds("7_0|COMPLETED\n7_1|CANCELLED by 1000\n7_2|TIMEOUT\n7_3|RUNNING\n7_4|NODE_FAIL\n\n");
  expect([...ends]).toEqual([
    ["7_0", "ended"],
    ["7_1", "cancelled"],
    ["7_2", "ended by the time limit"],
    ["7_4", "its node failed"],
  ]);
});
