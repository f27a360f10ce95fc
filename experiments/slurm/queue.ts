import { ask } from "./call.ts";

/** A job, or one task of an array, as squeue tells. */
export interface Queued {
  /** As scancel wants it: 123, or 123_7 for a task of an array. */
  readonly id: string;
  /** Number of the array, or of the job where it is none. */
  readonly array: string;
  /** Undefined where it is no task of an array. */
  readonly index: number | undefined;
  /** Slurm's two letters: PD, R, CG, … */
  readonly state: string;
  /** Why it waits, as Slurm names it. */
  readonly reason: string;
  readonly nodes: string;
  /** Seconds since it was started; NaN where it was not. */
  readonly elapsed: number;
  /** When Slurm expects to start it; undefined where it does not say. */
  readonly start: Date | undefined;
  /** Path of its script. */
  readonly script: string;
}

const FORMAT = ["%i", "%F", "%K", "%t", "%r", "%N", "%M", "%S", "%o"].join("|");

/** Jobs by these names that Slurm has not forgotten, the ended ones of the last minutes among them. */
export function queueOf(names: readonly string[]): {
  readonly jobs: Queued[];
  readonly error: string | undefined;
} {
  const given = ["--noheader", "--array", "--states=all", `--name=${names.join(",")}`, `--format=${FORMAT}`];
  const { ok, text, error } = ask("squeue", given);
  return ok ? { jobs: parseQueue(text), error: undefined } : { jobs: [], error };
}

/** Jobs in what squeue printed in this format. */
export function parseQueue(text: string): Queued[] {
  return text
    .split("\n")
    .filter((line) => line.includes("|"))
    .map((line) => {
      const [
        id = "",
        array = "",
        index = "",
        state = "",
        reason = "",
        nodes = "",
        elapsed = "",
        start = "",
        ...script
      ] = line.split("|");
      const begins = new Date(start);
      return {
        id,
        array,
        index: /^\d+$/.test(index) ? Number(index) : undefined,
        state,
        reason,
        nodes,
        elapsed: secondsOf(elapsed),
        start: Number.isNaN(begins.getTime()) ? undefined : begins,
        script: script.join("|").trim(),
      };
    });
}

/** Seconds of a time as Slurm writes it: [days-][hours:]minutes:seconds; NaN for INVALID, UNLIMITED and the like. */
export function secondsOf(text: string): number {
  const match = /^(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)$/.exec(text.trim());
  if (!match) return NaN;
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  return ((days! * 24 + hours!) * 60 + minutes!) * 60 + seconds!;
}

/** States in which Slurm still has something to do with a job. */
const ALIVE: Readonly<Record<string, string>> = {
  PD: "waits",
  CF: "the node is being made ready",
  R: "runs",
  S: "suspended",
  ST: "stopped by a signal",
  CG: "ends",
  RQ: "goes back to the queue",
  RH: "held after it was requeued",
  RD: "held by a reservation",
  RF: "waits for its federation",
  RS: "is being resized",
  SI: "is being signaled",
  SE: "held after a special exit",
  SO: "its files are being moved",
  RV: "revoked by another cluster",
};

/** Ends of a job. */
const ENDED: Readonly<Record<string, string>> = {
  CD: "ended",
  CA: "cancelled",
  F: "ended with an error",
  TO: "ended by the time limit",
  NF: "its node failed",
  OOM: "ran out of memory; ask for more with --mem",
  PR: "pre-empted and not requeued",
  BF: "its node failed to boot",
  DL: "missed its deadline",
};

/** Whether a job in this state will still run, or runs. A state that we do not know counts as alive: no work twice. */
export function isAlive({ state }: Queued): boolean {
  return !(state in ENDED);
}

/** Reasons to wait, in words. Slurm has some 150; the rest keep their names, which say much the same. */
const REASONS: Readonly<Record<string, string>> = {
  None: "not looked at yet",
  Priority: "others come first",
  Resources: "waits for free resources",
  Dependency: "waits for the phase before",
  DependencyNeverSatisfied: "its dependency can no longer be met",
  JobArrayTaskLimit: "as many run as the throttle allows",
  BeginTime: "starts again in a moment",
  JobHeldUser: "held by its user; scontrol release lets it go",
  JobHeldAdmin: "held by an administrator",
  Licenses: "waits for a license",
  NodeDown: "a node that it needs is down",
  PartitionDown: "the partition is down",
  PartitionInactive: "the partition takes no jobs now",
  PartitionNodeLimit: "asks for more nodes than the partition gives",
  PartitionTimeLimit: "asks for more time than the partition gives; see --time",
  BadConstraints: "no node has what it asks for",
  ReqNodeNotAvail: "a node that it needs is not available",
  Reservation: "waits for its reservation",
  Cleaning: "its last try is being cleaned up",
  "launch failed requeued held": "held since its start failed; scontrol release lets it go",
  JobHoldMaxRequeue: "held after too many failed starts; scontrol release lets it go",
  InvalidAccount: "its account is not valid",
  InvalidQOS: "its quality of service is not valid",
  MaxMemPerLimit: "asks for more memory than is allowed",
  QOSMaxJobsPerUserLimit: "as many of yours run as the quality of service allows",
  AssocMaxJobsLimit: "as many run as your account allows",
};

/** What a job is at, in words. */
export function inWords({ state, reason }: Queued): string {
  if (state !== "PD") return ALIVE[state] ?? ENDED[state] ?? `in state ${state}`;
  const name = reason.split(/[,\s(]/, 1)[0]!;
  return REASONS[reason] ?? REASONS[name] ?? (reason === "" ? ALIVE.PD! : reason);
}

/** How jobs ended, by their id, where Slurm keeps accounts; an empty map where it does not. */
export function endsOf(arrays: readonly string[]): Map<string, string> {
  if (arrays.length === 0) return new Map();
  const given = ["--noheader", "--allocations", "--parsable2", "--format=JobID,State"];
  const { ok, text } = ask("sacct", [...given, `--jobs=${arrays.join(",")}`]);
  return ok ? parseEnds(text) : new Map<string, string>();
}

const ACCOUNTED: Readonly<Record<string, string>> = {
  CANCELLED: "CA",
  TIMEOUT: "TO",
  OUT_OF_MEMORY: "OOM",
  NODE_FAIL: "NF",
  PREEMPTED: "PR",
  BOOT_FAIL: "BF",
  DEADLINE: "DL",
  FAILED: "F",
  COMPLETED: "CD",
};

/** Ends in what sacct printed: "123_7|CANCELLED by 1000". */
export function parseEnds(text: string): Map<string, string> {
  const ends = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [id, state = ""] = line.split("|");
    const words = ENDED[ACCOUNTED[state.split(" ", 1)[0]!] ?? ""];
    if (id && words !== undefined) ends.set(id, words);
  }
  return ends;
}

export { ENDED };
