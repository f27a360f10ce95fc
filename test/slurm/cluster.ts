import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

/** A real Slurm on this machine alone, with all its files in a folder of its own. */
export interface Cluster {
  /** Environment in which Slurm's commands, and ours, speak to it. */
  readonly environment: NodeJS.ProcessEnv;
  /** Runs one of Slurm's commands and gives what it printed. */
  slurm(command: string, ...given: readonly string[]): string;
  /** What the daemons wrote, for a test that failed. */
  logs(): string;
  /** Cancels all jobs and ends every process of it. */
  stop(): Promise<void>;
}

export interface ClusterOptions {
  /** CPUs of each node; all nodes are this machine. */
  readonly nodes: Readonly<Record<string, number>>;
  /** Lines for slurm.conf. */
  readonly settings?: readonly string[];
}

/** Seconds in which daemons start and nodes report. */
const PATIENCE = 30;

/**
 * Starts munged, slurmctld and a slurmd for each node.
 *
 * @throws Error without the programs, or where this user may not start them: slurmd needs root.
 */
export async function startCluster({ nodes, settings = [] }: ClusterOptions): Promise<Cluster> {
  for (const program of ["munged", "slurmctld", "slurmd"]) {
    if (spawnSync("which", [program]).status !== 0) {
      throw new Error(`${program} not found: apt-get install slurm-wlm munge, and run as root`);
    }
  }
  const root = mkdtempSync(join(tmpdir(), "distillery-slurm-"));
  const names = Object.keys(nodes);
  await writeConfiguration(root, { nodes, settings });
  const environment = { ...process.env, SLURM_CONF: join(root, "slurm.conf") };
  const log = (name: string): string => join(root, "log", name);
  const daemons: ChildProcess[] = [];
  const daemon = (name: string, program: string, ...given: string[]): void => {
    const output = openSync(log(`${name}.out`), "a");
    daemons.push(spawn(program, given, { env: environment, stdio: ["ignore", output, output] }));
    closeSync(output);
  };
  const cluster: Cluster = {
    environment,
    slurm: (command, ...given) =>
      execFileSync(command, given, { env: environment, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }),
    logs: () =>
      readdirSync(join(root, "log"))
        .map((file) => `== ${file}\n${readFileSync(log(file), "utf8")}`)
        .join("\n"),
    async stop() {
      spawnSync("scancel", ["--user", String(process.getuid!())], { env: environment });
      await until(() => !spawnSync("squeue", ["-h"], { env: environment }).stdout.length, 15).catch(() => {});
      for (const child of [...daemons].reverse()) await ended(child);
      for (const pid of processesOf(root)) process.kill(pid, "SIGKILL");
      rmSync(root, { recursive: true, force: true });
    },
  };
  const munge = join(root, "munge");
  const files = ["key", "socket", "pid", "seed"].map(
    (name) => `--${name === "socket" ? name : `${name}-file`}=${join(munge, name)}`,
  );
  daemon(
    "munged",
    "munged",
    "--foreground",
    "--force",
    "--num-threads=2",
    `--log-file=${log("munged.log")}`,
    ...files,
  );
  try {
    await until(() => spawnSync("munge", ["-n", "-S", join(munge, "socket")]).status === 0, PATIENCE);
    daemon("slurmctld", "slurmctld", "-D", "-c");
    for (const name of names) daemon(`slurmd.${name}`, "slurmd", "-D", "-N", name);
    const idle = (): boolean => {
      const { stdout } = spawnSync("sinfo", ["-h", "-N", "-o", "%t"], { env: environment, encoding: "utf8" });
      return stdout.split("\n").filter((state) => state === "idle").length === names.length;
    };
    await until(idle, PATIENCE);
  } catch (error) {
    const logs = cluster.logs();
    await cluster.stop();
    throw new Error(`the cluster did not start: ${(error as Error).message}\n${logs}`);
  }
  return cluster;
}

async function writeConfiguration(root: string, { nodes, settings = [] }: ClusterOptions): Promise<void> {
  for (const folder of ["state", "log", "munge"]) mkdirSync(join(root, folder), { mode: 0o700 });
  writeFileSync(join(root, "munge", "key"), randomBytes(128), { mode: 0o600 });
  const [controller, ...ports] = await freePorts(1 + Object.keys(nodes).length);
  const host = hostname();
  const lines = [
    "ClusterName=test",
    `SlurmctldHost=${host}(127.0.0.1)`,
    `SlurmctldPort=${controller!}`,
    "SlurmUser=root",
    // A requeued job waits until its credential has expired; by default that is two minutes.
    `AuthInfo=socket=${join(root, "munge", "socket")},cred_expire=6`,
    `StateSaveLocation=${join(root, "state")}`,
    `SlurmdSpoolDir=${join(root, "spool.%n")}`,
    `SlurmctldPidFile=${join(root, "slurmctld.pid")}`,
    `SlurmdPidFile=${join(root, "slurmd.%n.pid")}`,
    `SlurmctldLogFile=${join(root, "log", "slurmctld.log")}`,
    `SlurmdLogFile=${join(root, "log", "slurmd.%n.log")}`,
    // No systemd and no cgroups to rely on in a container.
    "ProctrackType=proctrack/linuxproc",
    "TaskPlugin=task/none",
    "JobAcctGatherType=jobacct_gather/none",
    "AccountingStorageType=accounting_storage/none",
    "MpiDefault=none",
    "SelectType=select/cons_tres",
    "SelectTypeParameters=CR_CPU",
    "SchedulerParameters=bf_interval=1,sched_interval=1,batch_sched_delay=1",
    "SlurmdParameters=config_overrides",
    "ReturnToService=2",
    "KillWait=10",
    ...settings,
    ...Object.entries(nodes).map(
      ([name, cpus], i) =>
        `NodeName=${name} NodeHostname=${host} NodeAddr=127.0.0.1 Port=${ports[i]!} CPUs=${cpus} State=UNKNOWN`,
    ),
    "PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP",
  ];
  writeFileSync(join(root, "slurm.conf"), `${lines.join("\n")}\n`);
  writeFileSync(join(root, "cgroup.conf"), "CgroupPlugin=cgroup/v1\nIgnoreSystemd=yes\n");
}

/** Ports that nobody listens on now. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once("listening", resolve))));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Waits until something holds, looking four times a second. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  seconds: number,
  what = "it",
): Promise<void> {
  const deadline = performance.now() + 1000 * seconds;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${what} did not come about in ${seconds} s`);
    await setTimeout(250);
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const gone = await Promise.race([exit.then(() => true), setTimeout(10_000, false, { ref: false })]);
  if (!gone) child.kill("SIGKILL");
}

/** Processes that were started with this cluster's configuration, such as the keepers of jobs. */
function processesOf(root: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "utf8").includes(`SLURM_CONF=${root}/`);
      } catch {
        return false; // gone, or somebody else's
      }
    })
    .map(Number);
}
