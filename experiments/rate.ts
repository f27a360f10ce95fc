/** How fast work goes of late. */
export interface Rate {
  /** Notes how much is done by now. */
  mark(done: number): void;
  /** Amount per second; NaN before anything was done. */
  perSecond(): number;
}

/** Seconds beyond which the past says little about the machine's load now. */
const RECENT = 900;
/** Marks kept even where they are older: the mean of a few slow steps, not the last one alone. */
const KEPT = 8;
/** Marks within the time looked back at; more would tell nothing more. */
const RESOLUTION = 64;

interface Mark {
  readonly time: number;
  readonly done: number;
}

/**
 * The mean rate over the later half of the time spent, at most a quarter of an hour. So a slow beginning (compiling,
 * filling caches) is forgotten once it is the smaller half, saving now and then is averaged in, and hours of work follow
 * a machine that gets busier or freer.
 *
 * @param now seconds of a clock that never goes back.
 * @param start amount done before, e.g. by the run that is resumed: its time is unknown and does not count.
 */
export function recentRate(now: () => number, start = 0): Rate {
  const begun = now();
  const marks: Mark[] = [{ time: begun, done: start }];
  let latest = marks[0]!;
  return {
    mark(done) {
      latest = { time: now(), done };
      const half = (latest.time - begun) / 2;
      if (latest.time - marks.at(-1)!.time >= Math.min(half, RECENT) / RESOLUTION) marks.push(latest);
      const stale = ({ time }: Mark): boolean =>
        latest.time - time > half || (latest.time - time > RECENT && marks.length > KEPT);
      while (marks.length > 2 && stale(marks[0]!)) marks.shift();
    },
    perSecond() {
      const { time, done } = marks[0]!;
      return latest.time > time ? (latest.done - done) / (latest.time - time) : NaN;
    },
  };
}
