import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { jobOptionsOf } from "../../../experiments/cli/slurmOptions.ts";
import { slurmSchema } from "../../../experiments/slurm/options.ts";
import { MERGE } from "../../../experiments/slurm/plan.ts";
import { AGAIN, indexRanges, quoted, scriptOf } from "../../../experiments/slurm/script.ts";
import { tinySweep, withPrograms } from "./fakes.ts";

const program = {
  node: "/opt/node/bin/node",
  distillery: "/opt/d/distillery.mjs",
  folder: "/work",
  environment: {},
};
const array = { script: "run.sbatch", phase: "run", first: 0, indices: [0, 1, 2, 5] };
const directivesOf = (script: string): string[] =>
  script.split("\n").flatMap((line) => (line.startsWith("#SBATCH ") ? [line.slice(8)] : []));

describe("what a job asks for", () => {
  test("every option of the sweep file is a directive", () => {
    const options = {
      partition: "gpu,long",
      time: "1-12:00:00",
      gpus: "a100:1",
      cpus: 4,
      mem: "16G",
      throttle: 3,
      account: "lab",
      qos: "normal",
      constraint: "a100|h100",
      exclude: "node[1-2]",
      signal: 300,
      sbatch: ["--mail-type=END", "--gres=shard:1"],
    };
    expect(directivesOf(scriptOf(tinySweep(options), array, "/r/slurm/tiny-1", program))).toEqual([
      "--job-name=tiny.run",
      "--nodes=1",
      "--ntasks=1",
      "--array=0-2,5%3",
      "--signal=B:TERM@300",
      "--gpus=a100:1",
      "--cpus-per-task=4",
      "--mem=16G",
      "--partition=gpu,long",
      "--time=1-12:00:00",
      "--account=lab",
      "--qos=normal",
      '--constraint="a100|h100"',
      "--exclude=node[1-2]",
      "--requeue",
      "--open-mode=append",
      '--output="/r/slurm/tiny-1/logs/run-%A_%a.log"',
      "--mail-type=END",
      "--gres=shard:1",
    ]);
  });

  test("what is not asked for is left to the cluster", () => {
    const words = directivesOf(scriptOf(tinySweep(), array, "/r/slurm/tiny-1", program)).join(" ");
    expect(words).not.toMatch(/partition|time|gpus|cpus|mem|account|qos|constraint|exclude|%\d/);
  });

  test("the job that gathers is one small job", () => {
    const merge = { script: "merge.sbatch", phase: MERGE, first: 0, indices: [] };
    const script = scriptOf(
      tinySweep({ gpus: 1, cpus: 8, partition: "p" }),
      merge,
      "/r/slurm/tiny-1",
      program,
    );
    expect(directivesOf(script).join(" ")).not.toMatch(/array|gpus|cpus|signal/);
    expect(directivesOf(script)).toContain("--partition=p");
    expect(script).toContain('exec "$node" /opt/d/distillery.mjs slurm-task /r/slurm/tiny-1 merge\n');
  });

  test("a later array of a phase counts on from the earlier one", () => {
    const script = scriptOf(tinySweep(), { ...array, first: 1000 }, "/r/slurm/tiny-1", program);
    expect(script).toContain("slurm-task /r/slurm/tiny-1 run $((SLURM_ARRAY_TASK_ID + 1000)) &");
  });

  test("a percent sign of a folder is none of Slurm's", () => {
    const script = scriptOf(tinySweep(), array, "/r/50%/slurm/tiny-1", program);
    expect(directivesOf(script)).toContain('--output="/r/50%%/slurm/tiny-1/logs/run-%A_%a.log"');
  });

  test("folders, variables and lines of the user come into the shell whole", () => {
    const folder = mkdtempSync(join(tmpdir(), "distillery it's $HOME "));
    const environment = { LIBTORCH: "/opt/a b/$x" };
    const sweep = tinySweep({ setup: ['echo "$LIBTORCH"', "pwd"] });
    const merge = { script: "merge.sbatch", phase: MERGE, first: 0, indices: [] };
    const script = scriptOf(sweep, merge, "/r/s", { ...program, node: "true", folder, environment });
    expect(execFileSync("bash", ["-c", script], { encoding: "utf8" })).toBe(`/opt/a b/$x\n${folder}\n`);
  });
});

test.each([
  [{ partition: "a b" }, "partition"],
  [{ time: "soon" }, "time"],
  [{ throttle: 0 }, "throttle"],
  [{ sbatch: ["mail-type=END"] }, "sbatch"],
  [{ sbatch: ["--a\nrm -rf"] }, "sbatch"],
  [{ partitions: "a" }, "partitions"],
])("%j is refused", (options, name) => {
  const { error } = slurmSchema.safeParse(options);
  expect(JSON.stringify(error!.issues)).toContain(name);
});

test("options of Slurm without --slurm do not start the sweep here", () => {
  expect(() => jobOptionsOf({ slurm: false, partition: "gpu" })).toThrow(
    "--partition: expected --slurm beside it",
  );
  expect(() => jobOptionsOf({ slurm: false, "dry-run": true })).toThrow(
    "--dry-run: expected --slurm beside it",
  );
  expect(jobOptionsOf({ slurm: false, "dry-run": false, jobs: 2 })).toEqual({});
  expect(jobOptionsOf({ slurm: true, requeue: false, mem: "4G", jobs: 2 })).toEqual({
    requeue: false,
    mem: "4G",
  });
});

test("indices as ranges", () => {
  expect(indexRanges([0, 1, 2, 5, 7, 8])).toBe("0-2,5,7-8");
  expect(indexRanges([3])).toBe("3");
});

test("a word with anything in it stays one word", () => {
  const words = ["a", "it's", "a b", "$HOME", "`x`", 'a"b', "\\", ""];
  const echoed = execFileSync("bash", ["-c", `printf '%s\\n' ${words.map(quoted).join(" ")}`], {
    encoding: "utf8",
  });
  expect(echoed.split("\n").slice(0, -1)).toEqual(words);
});

/** The script with a program in place of Node and of Slurm's commands, and what was asked of scontrol. */
async function ran(task: string, { state = "R", signal = false, requeue = true } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "distillery-slurm-script-"));
  const calls = join(folder, "calls");
  writeFileSync(calls, "");
  mkdirSync(join(folder, "logs"));
  const restore = withPrograms({
    squeue: `echo ${state}`,
    scontrol: `echo "$@" >> ${calls}; false`,
    fakeNode: task,
  });
  try {
    const script = scriptOf(tinySweep({ requeue }), array, folder, { ...program, node: "fakeNode", folder });
    const env = { ...process.env, SLURM_ARRAY_TASK_ID: "5", SLURM_JOB_ID: "42" };
    const child = spawn("bash", ["-c", script], { env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (text: Buffer) => {
      output += text.toString();
      if (signal && text.toString().includes("ready")) child.kill("SIGTERM");
    });
    const [code] = (await once(child, "close")) as [number];
    return { code, output, calls: readFileSync(calls, "utf8") };
  } finally {
    restore();
  }
}

describe("what the script does when the task ends", () => {
  test("the task gets its folder, phase and index", async () => {
    const { code, output, calls } = await ran('echo "$@"');
    expect(output).toMatch(/^\/opt\/d\/distillery.mjs slurm-task \S+ run 5\n$/);
    expect([code, calls]).toEqual([0, ""]);
  });

  test("a failure is the job's failure", async () => {
    expect(await ran("exit 1")).toMatchObject({ code: 1, calls: "" });
  });

  test.each([AGAIN, 137, 143])("code %i goes back to the queue", async (exit) => {
    expect(await ran(`exit ${exit}`)).toMatchObject({ code: exit, calls: "requeue 42\n" });
  });

  test("a job that Slurm is ending does not", async () => {
    expect(await ran(`exit ${AGAIN}`, { state: "CG" })).toMatchObject({ calls: "" });
  });

  test("nor one that is not to be requeued", async () => {
    expect(await ran(`exit ${AGAIN}`, { requeue: false })).toMatchObject({ calls: "" });
  });

  test("a signal reaches the task, which is waited for while it saves", async () => {
    const task = `trap 'sleep 0.5; echo saved; exit ${AGAIN}' TERM; echo ready; while :; do sleep 0.05; done`;
    const { code, output, calls } = await ran(task, { signal: true });
    expect(output).toBe("ready\nsaved\n");
    expect([code, calls]).toEqual([AGAIN, "requeue 42\n"]);
  });
});
