import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "@jest/globals";
import type { Outcome } from "../../experiments/bench/benchCase.ts";
import { benchCases } from "../../experiments/bench/cases/index.ts";
import { differenceOf, measure } from "../../experiments/bench/measure.ts";
import { benchJson, type BenchRow, benchTables, recordBench } from "../../experiments/bench/results.ts";
import { median, quantile, quartiles } from "../../experiments/bench/statistics.ts";
import { digits, textTable } from "../../experiments/bench/table.ts";
import { findPython, type Worker, WorkerFailure } from "../../experiments/bench/workers.ts";

describe("statistics", () => {
  test("a median is the middle value, or between the two middle ones, in any order", () => {
    expect(median([5, 1, 3])).toBe(3);
    expect(median([10, 2, 4, 1])).toBe(3);
    expect(median([10, 9, 100])).toBe(10); // by number, not by text
  });

  test("quartiles lie between order statistics", () => {
    expect(quartiles([4, 1, 3, 2])).toEqual([1.75, 3.25]); // positions 0.75 and 2.25 of 0 … 3
    expect(quartiles([7])).toEqual([7, 7]);
    expect(quantile([0, 10], 0.3)).toBe(3);
    expect(() => median([])).toThrow(/expected at least one value, got none/);
  });

  test("numbers have three digits and tables line up", () => {
    expect([1540.4, 15.44, 9.999, 0.0015449, 0, -2].map(digits)).toEqual([
      "1540",
      "15.4",
      "10.0",
      "0.00154",
      "0",
      "-2.00",
    ]);
    expect(digits(null)).toBe("");
    expect(
      textTable(
        ["case", "ms"],
        [
          ["dm", "1540"],
          ["ops-forward", "2"],
        ],
      ),
    ).toBe(["case           ms", "-----------  ----", "dm           1540", "ops-forward     2"].join("\n"));
  });
});

const tolerance = { loss: 1e-4, norms: 1e-3 };
const outcome: Outcome = { loss: 2, norms: { images: 3 }, facts: { bandwidth: 5 } };

describe("two programs", () => {
  test("agree within the tolerance of each number", () => {
    expect(differenceOf(outcome, { loss: 2.00019, norms: { images: 3.0029 } }, tolerance)).toBeUndefined();
    expect(differenceOf({ loss: 0, norms: {} }, { loss: 0, norms: {} }, tolerance)).toBeUndefined();
  });

  test.each<[string, unknown, RegExp]>([
    [
      "another loss",
      { loss: 2.0003, norms: { images: 3 } },
      /^losses differ by more than 0.0001, ours 2, theirs 2.0003$/,
    ],
    ["another norm", { loss: 2, norms: { images: 3.01 } }, /^norms of images differ by more than 0.001/],
    ["a missing norm", { loss: 2, norms: {} }, /^norms of images differ/],
    ["a loss that is not finite", { loss: null, norms: { images: 3 } }, /^losses differ/],
  ])("differ by %s", (_, theirs, said) => {
    expect(differenceOf(outcome, theirs as Outcome, tolerance)).toMatch(said);
  });
});

/** A worker that answers from memory. */
function scripted(checked: Outcome, seconds: readonly number[], asked: unknown[] = []): Worker {
  const left = [...seconds];
  const answers = {
    check: () => checked,
    time: () => {
      if (left.length === 0) throw new WorkerFailure("killed by SIGKILL");
      return { seconds: left.shift()!, convolutionShare: 0.25 };
    },
    peak: () => ({ bytes: 7e6 }),
  };
  return {
    ask(ask, facts) {
      asked.push([ask, facts]);
      try {
        return Promise.resolve(answers[ask]() as never);
      } catch (error) {
        return Promise.reject(error as Error);
      }
    },
    end: () => Promise.resolve(),
  };
}

describe("a measurement", () => {
  const plan = { pairs: 3, tolerance };

  test("takes the median of the ratios of pairs, and leaves the warm-up out", async () => {
    const asked: unknown[] = [];
    const ours = scripted(outcome, [100, 1, 2, 6]);
    const peer = scripted({ loss: 2, norms: { images: 3 } }, [100, 2, 8, 8], asked);
    const found = await measure({ ours, peers: { peer } }, plan);
    expect(found.seconds).toBe(2);
    expect(found.convolutionShare).toBe(0.25);
    expect(found.comparisons).toEqual({
      // 1/2, 2/8, 6/8: not the ratio of the medians, which is 2/8
      peer: { seconds: 8, ratio: 0.5, quartiles: [0.375, 0.625], peakBytes: 7e6 },
    });
    expect(found.notes).toEqual([]);
    expect(found.disagrees).toBe(false);
    expect(asked[0]).toEqual(["check", { bandwidth: 5 }]);
  });

  test("refuses a ratio to a peer with another loss, and says so", async () => {
    const asked: unknown[] = [];
    const ours = scripted(outcome, [1, 1, 1, 1]);
    const peer = scripted({ loss: 2.1, norms: { images: 3 } }, [1, 1, 1, 1], asked);
    const tuned = scripted({ loss: 2, norms: { images: 3 } }, [2, 2, 2, 2]);
    const found = await measure({ ours, peers: { peer, tuned } }, plan);
    expect(Object.keys(found.comparisons)).toEqual(["tuned"]);
    expect(found.disagrees).toBe(true);
    expect(found.notes).toEqual([
      "PyTorch: losses differ by more than 0.0001, ours 2, theirs 2.1; no ratio is given",
    ]);
    expect(asked.length).toBe(1); // checked, never timed
  });

  test("goes on without a peer that dies", async () => {
    const ours = scripted(outcome, [1, 1, 1, 1]);
    const tuned = scripted({ loss: 2, norms: { images: 3 } }, [2, 2]);
    const found = await measure({ ours, peers: { tuned } }, plan);
    expect(found.comparisons).toEqual({});
    expect(found.notes).toEqual(["PyTorch with malloc tuned: killed by SIGKILL"]);
    expect(found.disagrees).toBe(false);
  });

  test("fails where ours does", async () => {
    await expect(measure({ ours: scripted(outcome, [1]), peers: {} }, plan)).rejects.toThrow("SIGKILL");
  });
});

const row: BenchRow = {
  case: "dm",
  part: "",
  size: "full",
  threads: 2,
  pairs: 7,
  peerTorch: "2.13.0",
  seconds: 1.5,
  convolutionShare: 0.8,
  loadedBytes: 3e8,
  peakBytes: 1e9,
  loss: 2,
  comparisons: { peer: { seconds: 3, ratio: 0.5, quartiles: [0.45, 0.55], peakBytes: 2e9 } },
  notes: [],
  disagrees: false,
  machine: {
    distillery: "0.1.0",
    commit: "0123456789",
    engine: "torch-cpu",
    engineDescription: "libtorch 2.13.0, CPU, 2 threads, float32",
    node: "v20.20.2",
    processor: "a processor",
    cores: 2,
    memoryGiB: 23,
    date: "2026-01-01T00:00:00.000Z",
  },
};

describe("results", () => {
  const file = join(mkdtempSync(join(tmpdir(), "distillery-bench-test-")), "bench.csv");
  const cells = (): string[][] =>
    readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .map((line) => line.split(","));

  test("are appended, and replaced where case, machine and versions are the same", () => {
    recordBench(file, [row]);
    recordBench(file, [
      { ...row, case: "csdm" },
      { ...row, peerTorch: "1.13.0" },
    ]);
    recordBench(file, [{ ...row, seconds: 2, machine: { ...row.machine, commit: "fedcba9876" } }]);
    expect(cells().map((line) => [line[0], line[4]])).toEqual([
      ["case", "oursMs"],
      ["csdm", "1500"],
      ["dm", "1500"],
      ["dm", "2000"],
    ]);
  });

  test("docs/performance.md explains every column, in order", () => {
    recordBench(file, [row]);
    const [, rest] = readFileSync("docs/performance.md", "utf8").split("## Columns");
    const explained = [...rest!.split("\n## ")[0]!.matchAll(/^\| `(\w+)` +\|/gm)];
    expect(explained.map((match) => match[1])).toEqual(cells()[0]);
  });

  test("are not mixed with those of other columns", () => {
    writeFileSync(file, "case,ms\ndm,1\n");
    expect(() => recordBench(file, [row])).toThrow(
      /bench.csv: expected the columns case, size, .* got case, ms/,
    );
  });

  test("go into tables by kind, with what there is to say", () => {
    const alone = { ...row, comparisons: {}, convolutionShare: null };
    const text = benchTables([
      row,
      { ...alone, case: "csdm", seconds: 1.65, notes: ["PyTorch: out of memory"] },
      { ...alone, case: "spectral", part: "640x256", seconds: 0.016384 },
      { ...alone, case: "memory", part: "100" },
      { ...row, case: "trajectory-tesla", part: "40", keptBytes: 5e7 },
      { ...alone, case: "trajectory-unroll", part: "40", peakBytes: null },
    ]);
    expect(text.split("\n").map((line) => line.trim().split(/ {2,}/))).toEqual(
      expect.arrayContaining([
        ["ours: torch-cpu (libtorch 2.13.0, CPU, 2 threads, float32); against: PyTorch 2.13.0"],
        ["dm", "1500", "3000", "0.500 [0.450, 0.550]", "1000 / 2000", "80 %"],
        ["csdm", "1650", "1000 / –"],
        ["640", "256", "16.4", "100"],
        ["100", "1500", "300", "1000"],
        ["tesla", "40", "1500", "3000", "0.500 [0.450, 0.550]", "700", "50.0", "2000"],
        ["unroll", "40", "1500"],
        ["CSDM adds 10.0 % to a step of DM."],
        ["csdm: PyTorch: out of memory"],
      ]),
    );
    expect(benchJson([row, { ...alone, case: "memory", part: "10" }])).toMatchObject({
      dm: { ratio: 0.5, ratioTuned: null, ours: 1500, peer: 3000, ourPeakMB: 1000, peerPeakMB: 2000 },
      memory: { "10": { ratio: null, ours: 1500 } },
    });
  });
});

describe("npx distillery bench", () => {
  const bench = (asked: readonly string[], env: NodeJS.ProcessEnv = {}) =>
    promisify(execFile)(
      process.execPath,
      ["experiments/distillery.mjs", "bench", ...asked, "--size", "small", "--pairs", "1", "--threads", "1"],
      { env: { ...process.env, ...env } },
    );
  type Entry = { ratio: number; ratioTuned: number; ours: number; ourPeakMB: number; notes: string[] };

  const python = findPython();
  const title = "measures every case; where PyTorch has the same step, both compute the same";
  if ("reason" in python) test.skip(`${title}: ${python.reason}`, () => undefined);
  else {
    test(
      title,
      async () => {
        const json = JSON.parse((await bench(["--json"])).stdout) as Record<string, unknown>;
        expect(Object.keys(json)).toEqual(Object.keys(benchCases));
        for (const [name, { peer, settings }] of Object.entries(benchCases)) {
          const parts = Object.keys(settings.small);
          const found = parts[0] === "" ? { "": json[name] } : (json[name] as Record<string, unknown>);
          expect([name, Object.keys(found)]).toEqual([name, parts]);
          for (const { notes, ours, ourPeakMB, ratio, ratioTuned } of Object.values(found) as Entry[]) {
            expect([name, notes]).toEqual([name, []]);
            for (const one of [ours, ourPeakMB, ...(peer ? [ratio, ratioTuned] : [])])
              expect(one > 0 && Number.isFinite(one)).toBe(true);
          }
        }
      },
      600_000, // starts some forty processes, each of which loads libtorch
    );
  }

  test("measures ours alone without PyTorch for Python, and says how to get it", async () => {
    const { stdout, stderr } = await bench(["ops-forward", "--json"], { PYTHON: "/nowhere/python" });
    const json = JSON.parse(stdout) as Record<string, Entry>;
    expect(json["ops-forward"]).toMatchObject({ ratio: null, notes: [] });
    expect(json["ops-forward"]!.ours).toBeGreaterThan(0);
    expect(stderr).toMatch(/no torch and numpy in \/nowhere\/python, .* install Debian's python3-torch/);
  }, 60_000);

  test("names the known cases to one who asks for another", async () => {
    await expect(bench(["dmm"])).rejects.toThrow(/bench: expected one of dm, csdm, .* did you mean dm\?/);
  });
});
