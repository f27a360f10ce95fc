import { describe, expect, test } from "@jest/globals";
import { parse } from "csv-parse/sync";
import { writeWhole } from "../../experiments/files.ts";
import { recordRanking, type RankingRecord, readRankings } from "../../experiments/rank/record.ts";
import type { ReportData } from "../../experiments/report/data.ts";
import { renderPage } from "../../experiments/report/page/page.ts";
import { nothing } from "../../experiments/report/page/pageData.ts";
import { readResults, reportData } from "../../experiments/report/reportData.ts";
import { summarize } from "../../experiments/report/summarize.ts";
import { csv, latex, markdown, type Table, tablesOf } from "../../experiments/report/tables/index.ts";
import { rankingScores } from "../../src/evaluation/ranking.ts";
import { rankingOf } from "./rankings.ts";
import { rowsOf } from "./rows.ts";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const rows = [
  ...rowsOf([0.26, 0.28], { objective: "random", experiment: "random" }),
  ...rowsOf([0.5, 0.52], { objective: "dm", experiment: "dm" }),
];
const ranked = [
  rankingOf({ experiment: "random", objective: "random" }, [0.26, 0.28]),
  rankingOf({ experiment: "dm", objective: "dm" }, [0.45, 0.5]),
  rankingOf({ experiment: "dm", objective: "dm", distillSeed: 1 }, [0.46, 0.51]),
];
const dataOf = (rankings?: readonly RankingRecord[]): ReportData => ({
  summaries: summarize(rows),
  classNames: {},
  runs: [],
  ...(rankings && { rankings }),
});
const found = (kind: Table["kind"], rankings: readonly RankingRecord[]): Table[] =>
  tablesOf(dataOf(rankings)).filter((table) => table.kind === kind);

describe("ranking tables", () => {
  test("have scores beside the accuracy, and the accuracies that they come from, in percent", () => {
    const [table] = found("ranking", ranked);
    const [head, , ...lines] = markdown([table!]).split("\n").slice(2);
    expect(table!.id).toBe("ranking-cifar10-ipc10-ddranking");
    expect(head).toContain("Score: LRS");
    expect(lines[0]).toMatch(/^\| random +\| +27\.0 ± 1\.4 \| /);
    // β of random images is 0 here, so that the score is that of 0 in each seed.
    expect(lines[0]).toContain("26.9 ± 0.0");
    expect(lines[1]).toMatch(/^\| dm +\| +51\.0 ± 1\.4 \| /);
    expect(lines[1]).toMatch(/\| +2 \|$/);
    for (const said of [
      "held-out training images",
      "after the last epoch",
      "population standard deviation over 2 to 4 networks",
    ])
      expect(table!.note).toContain(said);
  });

  test("give means and population deviations over all networks as fractions to programs", () => {
    const [line] = parse(csv(found("ranking", ranked)[0]!), { columns: true }).slice(1) as Record<
      string,
      string
    >[];
    const scores = ranked.slice(1).flatMap(({ seeds }) => seeds.map((one) => one.scores.lrs));
    const mean = scores.reduce((sum, one) => sum + one) / 4;
    const variance = scores.reduce((sum, one) => sum + (one - mean) ** 2, 0) / 4;
    expect(Number(line!["Score: LRS mean"])).toBeCloseTo(mean, 6);
    expect(Number(line!["Score: LRS std"])).toBeCloseTo(Math.sqrt(variance), 6);
    expect(line!["Score: LRS n"]).toBe("4");
  });

  test("say where the test images chose, and stand apart from those where they did not", () => {
    const published = ranked.map((one) => ({ ...one, tuning: "test", taken: "best" }) as const);
    const tables = found("ranking", [...ranked, ...published]);
    expect(tables.map(({ id }) => id)).toEqual([
      "ranking-cifar10-ipc10-ddranking",
      "ranking-cifar10-ipc10-ddranking-tuned-by-test-best",
    ]);
    expect(tables[1]!.note).toContain(
      "Learning rates are chosen by the test images, as published: optimistic.",
    );
    expect(tables[1]!.note).toContain("best of several looks at the test images, as published: optimistic.");
  });

  test("name the labels where some are soft, and sets that were not evaluated", () => {
    const foreign = rankingOf(
      { experiment: "their-set", objective: "their-set", labels: "soft" },
      [0.4, 0.41],
    );
    const [table] = found("ranking", [...ranked, foreign]);
    expect(table!.columns[1]!.name).toBe("labels");
    const last = markdown([table!]).trim().split("\n").at(-1)!;
    expect(last).toMatch(/^\| their-set \| soft +\| +– +\| /);
    expect(latex(table!)).toContain("their-set & soft & --");
  });
});

describe("accuracy tables", () => {
  test("have columns of LRS and ARS where sets were ranked, and a note of what they are", () => {
    const [table] = found("accuracy", ranked.slice(1));
    expect(table!.columns.map(({ name }) => name)).toEqual([
      "method",
      "accuracy",
      "LRS",
      "ARS",
      "networks",
      "seeds",
    ]);
    expect(table!.note).toContain("LRS and ARS: ranking scores by ddranking, version 1");
    const lines = markdown([table!]).trim().split("\n").slice(-2);
    expect(lines[0]).toMatch(/^\| random \| 27\.0 ± 1\.4 +\| +– +\| +– +\|/);
    expect(lines[1]).toMatch(/^\| dm +\| .*51\.0 ± 1\.4.* \| \d+\.\d ± \d+\.\d \| \d+\.\d ± \d+\.\d \| /);
  });

  test("are as before where none were", () => {
    const without = tablesOf(dataOf());
    expect(without.some(({ kind }) => kind === "ranking")).toBe(false);
    const elsewhere = ranked.map((one) => ({ ...one, imagesPerClass: 50 }));
    expect(found("accuracy", elsewhere)).toEqual(without.filter(({ kind }) => kind === "accuracy"));
  });
});

describe("the page", () => {
  test("has a section of ranking scores where there are any, and columns beside accuracies", () => {
    const shown = renderPage({ ...nothing, ...dataOf(ranked), rows }, []);
    expect(shown).toContain('<section id="ranking"');
    expect(shown).toContain("LRS, %");
    const plain = renderPage({ ...nothing, ...dataOf(), rows }, []);
    expect(plain).not.toContain('id="ranking"');
    expect(plain).not.toContain("LRS");
  });
});

describe("a results folder", () => {
  test("gives rankings of sets that are no runs, and tells of a damaged file", async () => {
    const results = mkdtempSync(join(tmpdir(), "distillery-rankings-"));
    const folder = { path: join(results, "artifacts", "theirs", "seed-0") };
    writeWhole(join(folder.path, "source.json"), "{}");
    recordRanking(folder, ranked[1]!);
    expect(readRankings(folder)).toEqual([ranked[1]]);
    expect((await reportData(readResults(results))).rankings).toEqual([ranked[1]]);
    const damaged = join(folder.path, "ranking.json");
    writeWhole(damaged, '{"rankings": [');
    const data = await reportData(readResults(results));
    expect(data.rankings).toBeUndefined();
    expect(data.unreadable).toEqual([expect.stringContaining(damaged)]);
  });
});

test("records of tests have scores of their accuracies", () => {
  for (const { seeds } of ranked)
    for (const { accuracies, scores } of seeds) expect(scores).toEqual(rankingScores(accuracies));
});
