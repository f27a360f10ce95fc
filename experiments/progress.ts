/** Shows how far long work has come: one line rewritten in place on a terminal, plain lines now and then elsewhere. */
export interface ProgressLine {
  /** Work done so far, in the unit of `total`, and what to say of it. */
  at(done: number, note?: string): void;
  /** Ends the line and returns the seconds it took. */
  end(note?: string): number;
}

/** Seconds between plain lines where the output is no terminal. */
const PLAIN_INTERVAL = 15;
/** Seconds between redraws on a terminal. */
const REDRAW_INTERVAL = 0.2;

/**
 * @param label what is being done.
 * @param total amount of work; time left is extrapolated from the share done since the start.
 * @param start work that was done before, e.g. by the run that is resumed.
 */
export function progressLine(label: string, total: number, start = 0): ProgressLine {
  const terminal = process.stderr.isTTY;
  const interval = terminal ? REDRAW_INTERVAL : PLAIN_INTERVAL;
  const begun = performance.now();
  const elapsed = (): number => (performance.now() - begun) / 1000;
  let shown = terminal ? -Infinity : 0;
  const write = (text: string): void => {
    process.stderr.write(terminal ? `\r\x1b[2K${text}` : `${text}\n`);
  };
  return {
    at(done, note = "") {
      const seconds = elapsed();
      if (seconds - shown < interval || done <= start) return;
      shown = seconds;
      const left = (seconds / (done - start)) * (total - done);
      const percent = Math.floor((100 * done) / total);
      write(`${label}  ${String(percent).padStart(3)}%  ${duration(left)} left  ${note}`);
    },
    end(note = "") {
      const seconds = elapsed();
      write(`${label}  done in ${duration(seconds)}  ${note}${terminal ? "\n" : ""}`);
      return seconds;
    },
  };
}

/** Seconds as "42 s", "3 min 20 s" or "2 h 05 min". */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${seconds < 10 ? seconds.toFixed(1) : whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")} min`;
}
