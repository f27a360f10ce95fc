import { duration } from "../progress.ts";
import type { Screen } from "../screen.ts";
import type { Task } from "../tasks.ts";
import { tailOf } from "./child.ts";
import type { Watcher } from "./schedule.ts";
import type { Tally } from "./tally.ts";

/** A failed task, and where to read more. */
export interface Failed {
  readonly task: Task;
  readonly reason: string;
  readonly log: string;
}

/** What shows how far a sweep is. */
export interface Board extends Watcher {
  readonly failed: readonly Failed[];
  /** Takes the row away. */
  readonly end: () => void;
}

export interface BoardOptions {
  readonly tally: Tally;
  readonly logOf: (task: Task) => string;
  readonly print: (line: string) => void;
  readonly screen: Screen;
}

/** Lines of a failed task's log that are shown. */
const TAIL = 5;

/** Prints a line for each task that ends, and keeps a row on a terminal with what goes on. */
export function board({ tally, logOf, print, screen }: BoardOptions): Board {
  const failed: Failed[] = [];
  const running = new Set<Task>();
  const begun = screen.now();
  let elsewhere = "";
  const draw = (): void => {
    if (!screen.inPlace) return;
    const now = elsewhere === "" ? [...running].map(nameOf).join(", ") : elsewhere;
    const row = `${duration(screen.now() - begun)}  ${tally.text()}  ${now}`;
    screen.draw(
      Array.from(row)
        .slice(0, screen.columns() - 1)
        .join(""),
    );
  };
  const timer = setInterval(draw, 1000);
  const say = (...lines: readonly string[]): void => {
    if (screen.inPlace) screen.draw("");
    lines.forEach(print);
    draw();
  };
  return {
    failed,
    started(task) {
      elsewhere = "";
      running.add(task);
      draw();
    },
    found: (task) => tally.did(task),
    ended(task, { ended, reason, seconds }) {
      running.delete(task);
      if (ended === "done") {
        tally.did(task, seconds);
        say(`${nameOf(task)}: ${task.outcome()}, ${duration(seconds)} (${tally.text()})`);
      } else if (ended === "failed") {
        const log = logOf(task);
        tally.failed(task);
        failed.push({ task, reason, log });
        const head = `${nameOf(task)}: FAILED after ${duration(seconds)} (${tally.text()}); ${log} ends with`;
        say(head, ...tailOf(log, TAIL).map((line) => `    ${line}`));
      }
    },
    waiting(tasks) {
      const text = `${tasks.length} left, and other processes are at them; waiting for ${nameOf(tasks[0]!)}`;
      if (!screen.inPlace && elsewhere === "") say(text);
      elsewhere = text;
      draw();
    },
    end() {
      clearInterval(timer);
      if (screen.inPlace) screen.draw("");
    },
  };
}

/** "dm_imbalance-50 seed 0, network 3". */
export function nameOf(task: Task): string {
  return task.id.replace(/\/seed-/, " seed ").replace(/\/(network|part)-/, ", $1 ");
}
