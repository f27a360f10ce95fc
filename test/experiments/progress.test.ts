import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { duration, progressLine, working } from "../../experiments/progress.ts";
import { recentRate } from "../../experiments/rate.ts";
import { type Screen, screenOf } from "../../experiments/screen.ts";

/** A screen whose clock stands still unless moved, and what was written to it. */
class Fake {
  seconds = 0;
  columns: number;
  readonly written: string[] = [];
  readonly screen: Screen;

  constructor({ isTTY = false, columns = 200, TERM = "xterm" } = {}) {
    this.columns = columns;
    const stream = {
      isTTY,
      columns,
      write: (text: string) => this.written.push(text),
    };
    Object.defineProperty(stream, "columns", { get: () => this.columns });
    this.screen = screenOf(stream, { now: () => this.seconds, environment: { TERM } });
  }

  /** What a terminal would show: the rows, the last one as it stands. */
  shown(): string[] {
    return this.written
      .join("")
      .split("\n")
      .map((row) => row.slice(row.lastIndexOf("\r") + 1).replace("\x1b[K", ""));
  }
}

describe("time left", () => {
  /** Seconds left of `total` by a clock that runs through the given seconds for each step. */
  function left(secondsOfSteps: readonly number[], total: number, start = 0): number {
    let now = 0;
    const rate = recentRate(() => now, start);
    secondsOfSteps.forEach((seconds, i) => {
      now += seconds;
      rate.mark(start + i + 1);
    });
    return (total - start - secondsOfSteps.length) / rate.perSecond();
  }

  const steady = (count: number, seconds: number): number[] => Array<number>(count).fill(seconds);

  test("of even work it is what the mean says", () => {
    expect(left(steady(10, 2), 100)).toBeCloseTo(180);
    expect(left(steady(5000, 0.25), 10_000)).toBeCloseTo(1250);
  });

  test("what was done before the start counts as done and not as fast", () => {
    expect(left(steady(10, 2), 100, 50)).toBeCloseTo(80);
  });

  test("a minute of compiling in the first step is forgotten once as much time has passed again", () => {
    // The mean over all would say 61/2 · 998 s = 8 h.
    expect(left([60, 1], 1000)).toBeCloseTo(998);
    expect(left([60, ...steady(70, 1)], 1000)).toBeCloseTo(929);
  });

  test("a checkpoint now and then is averaged in", () => {
    // 1.09 s a step in the mean, with 10 s for every hundredth.
    const steps = Array.from({ length: 2000 }, (_, i) => (i % 100 === 99 ? 10 : 1));
    const seconds = left(steps, 4000);
    expect(seconds).toBeGreaterThan(2000 * 1.06);
    expect(seconds).toBeLessThan(2000 * 1.12);
  });

  test("hours of work follow a machine that got slower a quarter of an hour ago", () => {
    expect(left([...steady(36_000, 1), ...steady(500, 2)], 37_500)).toBeCloseTo(2000, -2);
  });

  test("steps of twenty minutes are judged by several of them, not by the last", () => {
    const seconds = left([1000, 1400, 1000, 1400, 1000, 1400, 1000, 1400], 10);
    expect(seconds).toBeGreaterThan(2 * 1150);
    expect(seconds).toBeLessThan(2 * 1250);
  });

  test("before anything is done there is no rate", () => {
    expect(recentRate(() => 7).perSecond()).toBeNaN();
  });
});

describe("on a terminal", () => {
  test("the line says how much is done, how fast, since when and until when", () => {
    const fake = new Fake({ isTTY: true });
    const line = progressLine("dm seed 0", 200, { screen: fake.screen });
    for (let step = 1; step <= 50; step++) {
      fake.seconds += 0.5;
      line.at(step, "loss 0.1234");
    }
    expect(fake.shown()).toEqual([
      "dm seed 0  ████░░░░░░░░░░░░   25 %  step 50/200  2 step/s  25 s elapsed  1 min 15 s left  loss 0.1234",
    ]);
    expect(line.end("csdm, 200 steps")).toBe(25);
    expect(fake.shown()).toEqual(["dm seed 0: done in 25 s, csdm, 200 steps", ""]);
  });

  test("it is there before the first step is done", () => {
    const fake = new Fake({ isTTY: true });
    progressLine("dm", 200, { start: 20, screen: fake.screen });
    expect(fake.shown()).toEqual(["dm  █░░░░░░░░░░░░░░░   10 %  step 20/200"]);
  });

  test("slow steps are given in seconds each", () => {
    const fake = new Fake({ isTTY: true });
    const line = progressLine("dm", 4, { screen: fake.screen, unit: "epoch" });
    fake.seconds = 12.5;
    line.at(1);
    expect(fake.shown()[0]).toContain("epoch 1/4  12.5 s/epoch  13 s elapsed  38 s left");
  });

  test.each([10, 20, 40, 60, 80, 100, 120])("no row is longer than %d columns", (columns) => {
    const fake = new Fake({ isTTY: true, columns });
    const line = progressLine("csdm-cifar10-lt-w64 seed 0", 20_000, { screen: fake.screen });
    for (let step = 1; step <= 9; step++) {
      fake.seconds += 3;
      line.at(step * 1000, "loss 0.1234");
      expect(fake.shown()[0]!.length).toBeLessThan(columns);
      expect(fake.written.at(-1)).toMatch(/^\r.*\x1b\[K$/);
    }
    // What matters most stays longest.
    if (columns >= 40) expect(fake.shown()[0]).toContain("45 %");
    if (columns >= 60) expect(fake.shown()[0]).toContain("33 s left");
    if (columns >= 80) expect(fake.shown()[0]).toContain("loss 0.1234");
  });

  test("the row is as wide as the terminal is when it is drawn", () => {
    const fake = new Fake({ isTTY: true, columns: 120 });
    const line = progressLine("a-long-name-of-an-experiment seed 0", 100, { screen: fake.screen });
    expect(fake.shown()[0]!.length).toBeGreaterThan(60);
    fake.columns = 50;
    fake.seconds = 1;
    line.at(10, "loss 0.1234");
    expect(fake.shown()[0]!.length).toBeLessThan(50);
  });

  test("it is not redrawn more often than the eye follows", () => {
    const fake = new Fake({ isTTY: true });
    const line = progressLine("dm", 10_000, { screen: fake.screen });
    for (let step = 1; step <= 10_000; step++) {
      fake.seconds += 0.001;
      line.at(step);
    }
    expect(fake.written.length).toBeLessThan(110);
  });

  test("work that breaks off leaves its row, and what is written next begins a line", () => {
    const fake = new Fake({ isTTY: true });
    progressLine("dm", 10, { screen: fake.screen });
    fake.screen.leave();
    fake.screen.leave();
    fake.screen.print("stopped");
    expect(fake.shown()).toEqual([expect.stringMatching(/^dm .* step 0\/10$/), "stopped", ""]);
  });

  test("silent work is announced, and leaves a line where it took long", async () => {
    const fake = new Fake({ isTTY: true });
    const run = (seconds: number): Promise<number> =>
      working("reading cifar10", () => (fake.seconds += seconds), fake.screen);
    await run(2);
    expect(fake.written[0]).toContain("reading cifar10  …");
    expect(fake.shown()).toEqual([""]);
    await run(8);
    expect(fake.shown()).toEqual(["reading cifar10: done in 8.0 s", ""]);
  });
});

describe("in a log", () => {
  /** Seconds at which lines come from work of one step a second. */
  function moments(hours: number, pieces = 1): number[] {
    const fake = new Fake();
    const times: number[] = [];
    const steps = (3600 * hours) / pieces;
    for (let piece = 0; piece < pieces; piece++) {
      const line = progressLine("dm", steps, { screen: fake.screen });
      for (let step = 1; step <= steps; step++) {
        const before = fake.written.length;
        fake.seconds += 1;
        line.at(step);
        if (fake.written.length > before) times.push(fake.seconds);
      }
    }
    return times;
  }

  test("lines come every 15 s, after a minute once a minute, after ten every five", () => {
    const expected = [15, 30, 45, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 900, 1200, 1500, 1800];
    expect(moments(0.5)).toEqual(expected);
  });

  test("ten hours are some 130 lines, in one piece or in a hundred", () => {
    for (const pieces of [1, 100]) {
      const { length } = moments(10, pieces);
      expect(length).toBeGreaterThan(110);
      expect(length).toBeLessThan(140);
    }
  });

  test("a line is plain text with the same words at the same places", () => {
    const fake = new Fake();
    const line = progressLine("dm seed 0", 200, { screen: fake.screen });
    fake.seconds = 20;
    line.at(50, "loss 0.1234");
    line.end("dm, 200 steps");
    expect(fake.written).toEqual([
      "dm seed 0: 0 %, step 0/200, 0.0 s elapsed\n",
      "dm seed 0: 25 %, step 50/200, 2.5 step/s, 20 s elapsed, 1 min 00 s left, loss 0.1234\n",
      "dm seed 0: done in 20 s, dm, 200 steps\n",
    ]);
  });

  test("a dumb terminal is one", () => {
    const fake = new Fake({ isTTY: true, TERM: "dumb" });
    const line = progressLine("dm", 200, { screen: fake.screen });
    fake.seconds = 20;
    line.at(50);
    line.end();
    expect(fake.written.join("")).not.toMatch(/[\r\x1b█]/);
    expect(fake.written).toHaveLength(3);
  });

  test("a download says megabytes, and no time left where the size is unknown", () => {
    const fake = new Fake();
    const known = progressLine("a.tar.gz", 170.5, { screen: fake.screen, unit: "MB" });
    fake.seconds = 20;
    known.at(42.6);
    const unknown = progressLine("b.tar.gz", undefined, { screen: fake.screen, unit: "MB" });
    fake.seconds = 40;
    unknown.at(5);
    expect(fake.written.slice(1)).toEqual([
      "a.tar.gz: 24 %, 42/170 MB, 2.13 MB/s, 20 s elapsed, 1 min 00 s left\n",
      "b.tar.gz: 5 MB, 0.25 MB/s, 20 s elapsed\n",
    ]);
  });

  test("work that counts nothing says its share alone, and what comes after it is added to the time left", () => {
    const fake = new Fake();
    const line = progressLine("experts 1/3", 1, { screen: fake.screen, unit: "share", more: 2 });
    fake.seconds = 20;
    line.at(0.5);
    expect(fake.written.at(-1)).toBe("experts 1/3: 50 %, 20 s elapsed, 20 s left, 1 min 40 s with 2 more\n");
  });

  test("silent work is announced before it begins, with a line after it where it took long", async () => {
    const fake = new Fake();
    await working("reading cifar10", () => (fake.seconds += 1), fake.screen);
    await working("reading cifar100", () => (fake.seconds += 9), fake.screen);
    expect(fake.written).toEqual([
      "reading cifar10 …\n",
      "reading cifar100 …\n",
      "reading cifar100: done in 9.0 s\n",
    ]);
  });

  test("silent work that fails says nothing of its own", async () => {
    const fake = new Fake();
    const failing = working("reading", () => Promise.reject(new Error("no such file")), fake.screen);
    await expect(failing).rejects.toThrow("no such file");
    expect(fake.written).toEqual(["reading …\n"]);
  });
});

test.each([
  [3.21, "3.2 s"],
  [9.96, "10 s"],
  [42.4, "42 s"],
  [59.6, "1 min 00 s"],
  [200, "3 min 20 s"],
  [7500, "2 h 05 min"],
  [40 * 3600, "40 h 00 min"],
  [100 * 3600, "4 d 04 h"],
])("%d seconds read as %s", (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

// util-linux's `script` gives a program a terminal of its own; other systems have another, or none.
const hasScript = spawnSync("script", ["--version"], { encoding: "utf8" }).stdout?.includes("util-linux");
const onTerminal = hasScript ? test : test.skip;

onTerminal("a real terminal of 60 columns gets rows that fit, and one line at the end", () => {
  const module = join(import.meta.dirname, "..", "..", "experiments", "progress.ts");
  const program = `
    import { progressLine } from ${JSON.stringify(module)};
    const line = progressLine("a-rather-long-name-of-an-experiment seed 0", 30);
    for (let step = 1; step <= 30; step++) {
      await new Promise((go) => setTimeout(go, 20));
      line.at(step, "loss 0.1234");
    }
    line.end("done it is");`;
  const command = `stty cols 60; exec "$NODE" --import tsx --input-type=module -e "$PROGRAM"`;
  const output = execFileSync("script", ["-qec", command, "/dev/null"], {
    encoding: "utf8",
    env: { ...process.env, NODE: process.execPath, PROGRAM: program, TERM: "xterm" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const rows = output.replaceAll("\x1b[K", "").split(/[\r\n]+/);
  expect(rows.filter((row) => row.includes(" %")).length).toBeGreaterThan(3);
  for (const row of rows.filter((each) => each.includes(" %"))) expect(row.length).toBeLessThan(60);
  expect(output).toMatch(
    /\ra-rather-long-name-of-an-experiment seed 0: done in 0\.\d s, done it is\x1b\[K\r\n$/,
  );
});
