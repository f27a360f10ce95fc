import { setTimeout } from "node:timers/promises";
import { progressLine } from "../progress.ts";
import type { Job } from "./jobs.ts";

/** Seconds until networks that other processes train are looked at again. */
const REVISIT = 1;

/**
 * Trains networks that are not there, side by side with other processes that do the same, and shows how far they are.
 *
 * @param label what they are for.
 */
export async function finishJobs(jobs: readonly Job[], label: string): Promise<void> {
  let open = jobs.filter((job) => !job.isThere());
  if (open.length === 0) return;
  const total = workOf(jobs);
  const done = (): number => 1 - workOf(jobs.filter((job) => !job.isThere())) / total;
  const line = progressLine(label, 1, { unit: "share", start: 1 - workOf(open) / total });
  while (open.length > 0) {
    const busy: Job[] = [];
    for (const [at, job] of open.entries()) {
      const before = done(); // with those that other processes have trained meanwhile
      const note = `${open.length - at} networks left, now ${job.what}`;
      line.at(before, note);
      const share = (part: number): void => {
        line.at(before + (part * job.work) / total, note);
      };
      if (!(await job.make(share))) busy.push(job);
    }
    if (busy.length === open.length) {
      line.at(done(), "waiting for other processes");
      await setTimeout(1000 * REVISIT);
    }
    open = busy.filter((job) => !job.isThere());
  }
  line.end(`${jobs.length} networks`);
}

const workOf = (jobs: readonly Job[]): number => jobs.reduce((sum, { work }) => sum + work, 0);
