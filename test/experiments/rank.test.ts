import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { distillExperiment } from "../../experiments/commands/distill.ts";
import { exportRun } from "../../experiments/commands/export.ts";
import {
  type RankedPlace,
  rankedSubject,
  type RankOptions,
  rankSubject,
} from "../../experiments/commands/rank.ts";
import { resolveExperiment } from "../../experiments/config.ts";
import { loadData } from "../../experiments/data/load.ts";
import { readRankings, type RankingRecord } from "../../experiments/rank/record.ts";
import { populationSpread } from "../../experiments/rank/statistics.ts";
import { rankingText } from "../../experiments/rank/text.ts";
import { readRun, type RunFolder } from "../../experiments/runFolder.ts";
import { sizeOf } from "../../src/core/shape.ts";
import { selectEngine } from "../../src/engines/index.ts";
import { rankingScores } from "../../src/evaluation/ranking.ts";
import type { RankingProtocol } from "../../src/evaluation/rankingProtocols.ts";
import { mean, sampleStandardDeviation } from "../../src/evaluation/statistics.ts";
import { finishedRun } from "./finishedRun.ts";

const { engine } = await selectEngine("auto", { threads: 1 });
afterAll(() => engine.close());

const common = { momentum: 0.9, weightDecay: 5e-4 };
/** As the published one, but for its sizes. */
const tiny: RankingProtocol = {
  id: "tiny",
  version: 1,
  description: "For tests.",
  training: {
    ...common,
    batchSize: 8,
    epochs: 6,
    drops: { afterEpochs: [3], factor: 0.1, keepsMomentum: true },
  },
  rates: [0.02, 0.1],
  real: {
    ...common,
    batchSize: 16,
    epochs: 4,
    learningRate: 0.05,
    drops: { afterEpochs: [2], factor: 0.1, keepsMomentum: true },
  },
  augmentation: "color_crop_flip",
  looks: { hard: 2, soft: 3 },
  networks: 2,
};

const options: RankOptions = { protocol: tiny, tune: "holdout", take: "last", force: false };
const data = { name: "procedural", classes: 3, trainPerClass: 20, testPerClass: 10, side: 8 };
const dataOverrides = Object.entries(data)
  .slice(1)
  .map(([key, value]) => `data.${key}=${value}`);
const small = {
  data,
  imagesPerClass: 2,
  network: { depth: 1, width: 4 },
  steps: 0,
  evaluation: { protocol: "quick", networks: 1 },
};

const newFolder = (): string => mkdtempSync(join(tmpdir(), "distillery-rank-"));
const results = newFolder();
const place = (run: RunFolder): RankedPlace => ({
  overrides: [],
  results: join(run.path, "../../.."),
  force: false,
});
const rank = async (run: RunFolder, changes: Partial<RankOptions> = {}): Promise<RankingRecord> =>
  rankSubject(await rankedSubject(run.path, place(run)), engine, { ...options, ...changes });

/** Files below a folder that is there, with the time of their last change. */
function filesBelow(folder: string): Map<string, number> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name));
  return new Map(
    names.filter((name) => statSync(name).isFile()).map((name) => [name, statSync(name).mtimeMs]),
  );
}

let runs: RunFolder[];
let first: RankingRecord;

beforeAll(async () => {
  const experiment = resolveExperiment("random", { ...small, seeds: [0, 1] });
  runs = await distillExperiment(experiment, engine, { results, force: false });
  first = await rank(runs[0]!);
}, 60_000);

describe("a run with hard labels", () => {
  test("is ranked by networks of each evaluation seed, and its folder keeps the scores", () => {
    expect(first).toMatchObject({
      experiment: "random",
      dataset: "procedural",
      imagesPerClass: 2,
      protocol: "tiny",
      evaluationNetwork: "convNet-d1-w4-relu-instance-avg",
      tuning: "holdout",
      taken: "last",
      labels: "hard",
    });
    expect(first.seeds.map(({ seed }) => seed)).toEqual([0, 1]);
    for (const { accuracies, scores, learningRates } of first.seeds) {
      expect(accuracies.syntheticHard).toBe(accuracies.augmented.synthetic);
      expect(scores).toEqual(rankingScores(accuracies));
      expect(learningRates.realHard).toBe(0.05);
      for (const rate of [
        learningRates.syntheticHard,
        learningRates.augmented.random,
        learningRates.plain.synthetic,
      ])
        expect(tiny.rates).toContain(rate);
    }
    expect(readRankings(runs[0]!)).toEqual([first]);
  });

  test("takes the rate of the network that does best on held-out training images", () => {
    const folder = join(runs[0]!.path, "rankings/tiny/convNet-d1-w4-relu-instance-avg/synthetic-hard-plain");
    const kept = tiny.rates.map((rate) => ({
      rate,
      ...(JSON.parse(readFileSync(join(folder, `1-${rate}.json`), "utf8")) as {
        heldOut: number;
        accuracy: number;
      }),
    }));
    const best = kept.reduce((a, b) => (b.heldOut > a.heldOut ? b : a));
    expect(first.seeds[1]!.accuracies.plain.synthetic).toBe(best.accuracy);
    expect(first.seeds[1]!.learningRates.plain.synthetic).toBe(best.rate);
  });

  test("shares the networks on real images with a set of another seed, and nothing else", async () => {
    const before = filesBelow(join(results, "prepared"));
    const second = await rank(runs[1]!);
    expect(filesBelow(join(results, "prepared"))).toEqual(before);
    const shared = ({ seeds }: RankingRecord) =>
      seeds.map(({ accuracies: { realHard, augmented, plain } }) => [
        realHard,
        augmented.random,
        plain.random,
      ]);
    expect(shared(second)).toEqual(shared(first));
    expect(second.seeds.map(({ scores }) => scores)).not.toEqual(first.seeds.map(({ scores }) => scores));
  });

  test("goes on where it was stopped, with the numbers of one that was not", async () => {
    const folder = join(runs[0]!.path, "rankings");
    const [lost, ...others] = [...filesBelow(folder).keys()].sort();
    const [part] = [...filesBelow(join(results, "prepared")).keys()].filter((file) =>
      file.includes("randomImages"),
    );
    rmSync(lost!);
    rmSync(part!);
    const before = filesBelow(folder);
    expect(await rank(runs[0]!)).toEqual(first);
    expect(existsSync(lost!) && existsSync(part!)).toBe(true);
    const after = filesBelow(folder);
    for (const file of others) expect(after.get(file)).toBe(before.get(file));
  });

  test("trains networks on the set anew when forced to, with equal numbers", async () => {
    const file = [...filesBelow(join(runs[0]!.path, "rankings")).keys()][0]!;
    const [before, prepared] = [statSync(file).mtimeMs, filesBelow(join(results, "prepared"))];
    expect(await rank(runs[0]!, { force: true })).toEqual(first);
    expect(statSync(file).mtimeMs).toBeGreaterThan(before);
    expect(filesBelow(join(results, "prepared"))).toEqual(prepared);
  });

  test("as published takes the best of the looks, and the rate that the test images prefer", async () => {
    const published = await rank(runs[0]!, { tune: "test", take: "best" });
    expect(published).toMatchObject({ tuning: "test", taken: "best" });
    published.seeds.forEach(({ accuracies }, i) => {
      const last = first.seeds[i]!.accuracies;
      expect(accuracies.plain.random).toBeGreaterThanOrEqual(last.plain.random);
      expect(accuracies.augmented.synthetic).toBeGreaterThanOrEqual(last.augmented.synthetic);
      expect(accuracies.realHard).toBeGreaterThanOrEqual(last.realHard);
    });
    expect(readRankings(runs[0]!)).toEqual([first, published]);
    const shown = [{ label: "random seed 0", ranking: published, accuracy: populationSpread([]) }];
    expect(rankingText(shown)).toContain(
      "Learning rates are chosen by the test images, as published: optimistic. Accuracies are the best of several looks",
    );
  });
});

test("random images improve over random ones by nothing in expectation, and their LRS is within [0, 1]", async () => {
  const experiment = resolveExperiment("many", { ...small, seeds: [0, 1, 2, 3, 4, 5, 6, 7] });
  const many = await distillExperiment(experiment, engine, { results, force: false });
  const rankings: RankingRecord[] = [];
  for (const run of many) rankings.push(await rank(run));
  const scores = rankings.flatMap(({ seeds }) => seeds.map((one) => one.scores));
  for (const { lrs, ars } of scores) {
    expect(lrs).toBeGreaterThan(0);
    expect(lrs).toBeLessThan(1);
    expect(Math.abs(ars - 0.2689)).toBeLessThan(0.2);
  }
  // Sets are independent; random images are the same two draws for all of them, which have a spread of their own.
  const ofSets = rankings.map(({ seeds }) => mean(seeds.map((one) => one.scores.ior)));
  const drawn = first.seeds.map(({ accuracies }) => accuracies.augmented.random);
  const error = Math.hypot(
    sampleStandardDeviation(ofSets) / Math.sqrt(8),
    sampleStandardDeviation(drawn) / Math.SQRT2,
  );
  expect(Math.abs(mean(ofSets))).toBeLessThan(5 * error);
}, 60_000);

describe("a set with soft labels", () => {
  let ranking: RankingRecord;
  let run: RunFolder;

  beforeAll(async () => {
    const { splits } = await loadData(resolveExperiment("soft", small).data);
    const { imageShape, classNames, mean: center, std } = splits.train;
    const labels = Int32Array.of(0, 0, 1, 1, 2, 2);
    const images = Float32Array.from({ length: 6 * sizeOf(imageShape) }, (_, i) =>
      Math.sin(0.1 * i * (1 + (i % 3))),
    );
    const soft = Float32Array.from({ length: 18 }, (_, i) =>
      labels[Math.floor(i / 3)] === i % 3 ? 0.6 : 0.2,
    );
    const beside = { softLabels: engine.tensor([6, 3], soft), stepSize: engine.tensor([], [0.04]) };
    const learnt = { imageShape, labels, classNames, mean: center, std, images, beside };
    run = finishedRun(engine, learnt, [
      ...dataOverrides,
      "imagesPerClass=2",
      "network={name: convNet, depth: 1, width: 4}",
    ]);
    ranking = await rank(run);
  }, 60_000);

  test("is trained by them and, for its recovery, by hard ones", () => {
    expect(ranking.labels).toBe("soft");
    const kinds = readdirSync(join(run.path, "rankings/tiny/convNet-d1-w4-relu-instance-avg")).sort();
    expect(kinds).toEqual(["synthetic-hard-augmented", "synthetic-soft-augmented", "synthetic-soft-plain"]);
  });

  test("is trained at the rate that was learned with them, but by hard labels at the best of the protocol's", () => {
    for (const { learningRates } of ranking.seeds) {
      expect(learningRates.augmented.synthetic).toBeCloseTo(0.04, 6);
      expect(learningRates.plain.synthetic).toBeCloseTo(0.04, 6);
      expect(tiny.rates).toContain(learningRates.syntheticHard);
      expect(tiny.rates).toContain(learningRates.plain.random);
    }
  });

  test("is held against random images that the networks on real ones have labeled", async () => {
    const { path } = run;
    const hard = finishedRun(engine, await hardCopy(), [
      ...dataOverrides,
      "imagesPerClass=2",
      "network={name: convNet, depth: 1, width: 4}",
    ]);
    const compared = await rank(hard, { prepared: join(path, "../../..", "prepared") });
    const real = ({ seeds }: RankingRecord): number[] => seeds.map(({ accuracies }) => accuracies.realHard);
    expect(real(ranking)).toEqual(real(compared));
    const prepared = readdirSync(join(path, "../../..", "prepared"));
    expect(prepared.filter((name) => name.startsWith("realHard"))).toHaveLength(1);
    expect(prepared.filter((name) => name.startsWith("randomImages"))).toHaveLength(8);
  });

  /** The same images by hard labels. */
  async function hardCopy() {
    const { set, classNames } = await rankedSubject(run.path, place(run));
    const { imageShape, labels, mean: center, std, images } = set;
    return { imageShape, labels, classNames, mean: center, std, images };
  }
});

test("a folder of images is ranked as the data set that is named, and keeps its scores among the artifacts", async () => {
  const exported = (await exportRun(readRun(runs[0]!.path), { force: false })).path;
  const own = newFolder();
  const overrides = [...dataOverrides, "evaluation.network={name: convNet, depth: 1, width: 4}"];
  const subject = await rankedSubject(join(exported, "png/train"), {
    data: "procedural",
    overrides,
    results: own,
    name: "folder",
    force: false,
  });
  const ranking = await rankSubject(subject, engine, { ...options, networks: 1 });
  expect(subject.folder.path).toBe(join(own, "artifacts/folder/seed-0"));
  expect(readRankings(subject.folder)).toEqual([ranking]);
  expect(ranking).toMatchObject({ experiment: "folder", imagesPerClass: 2, labels: "hard" });
  // Eight bits are all that random real images have: the sets are the same.
  expect(ranking.seeds[0]!.accuracies.realHard).toBe(first.seeds[0]!.accuracies.realHard);
  expect(ranking.seeds[0]!.accuracies.augmented.synthetic).toBeCloseTo(
    first.seeds[0]!.accuracies.augmented.synthetic,
    1,
  );
});

describe("what is refused", () => {
  test.each([
    [
      "a set that is not there",
      () => rankedSubject("nowhere", { overrides: [], results, force: false }),
      "nowhere: expected a synthetic set, found nothing there",
    ],
    [
      "a number of networks that is none",
      () => rank(runs[0]!, { networks: 0 }),
      "--networks: expected a whole number >= 1, got 0",
    ],
    [
      "a protocol that is none",
      () => rank(runs[0]!, { protocol: "ddrankin" as never }),
      '--protocol: expected one of ddranking, ddranking-quick, got "ddrankin"; did you mean ddranking?',
    ],
    [
      "rates that all diverge",
      () => rank(runs[0]!, { protocol: { ...tiny, id: "diverging", rates: [1e20] }, networks: 1 }),
      "expected a network that does not diverge, got none by the learning rates 100000000000000000000",
    ],
  ])("%s", async (_, attempt, message) => {
    await expect(attempt()).rejects.toThrow(message);
  });
});
