import { thirds } from "../../src/evaluation/statistics.ts";
import { type Rng, seeded } from "../../src/core/rng.ts";
import type { FeatureDiscrepancy } from "../../src/evaluation/featureDiscrepancy.ts";
import type { ReportData, RunRecord } from "../../experiments/report/data.ts";
import { methodOf } from "../../experiments/report/labels.ts";
import { summarize } from "../../experiments/report/summarize.ts";
import type { Row } from "../../experiments/results.ts";
import { richMap } from "./richMap.ts";
import { row } from "./rows.ts";

/** A config of the study: what its runs share. */
interface Config extends Pick<Row, "experiment" | "dataset" | "imbalance" | "imagesPerClass" | "objective"> {
  readonly plugins?: string;
  readonly network?: string;
  readonly evaluationNetworks?: readonly string[];
  /** Options that differ from the method's usual ones. */
  readonly options?: Readonly<Record<string, string>>;
  /** Added to the accuracy that the method's own effect comes to. */
  readonly effect?: number;
}

export const convNet = "convNet-d3-w128-relu-instance-avg";
export const resNet = "resNet18-instance";
export const alexNet = "alexNet-instance";

/** Class names in label order, by data set. */
export const richClassNames = {
  cifar10: ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"],
  mnist: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
};

/** Method, its usual options, what it adds to the accuracy of random images, seconds and megabytes. */
const methods = {
  random: { options: { initialization: "random" }, gain: 0, seconds: 0, megabytes: 900 },
  dm: {
    options: { initialization: "random", "optimizer.learningRate": "1" },
    gain: 0.09,
    seconds: 620,
    megabytes: 1450,
  },
  csdm: {
    options: {
      initialization: "random",
      "objective.frequencies": "1024",
      "objective.kernel.name": "gaussian",
      "objective.kernel.scale": "1",
      "objective.weighting.alphaHead": "0.7",
      "optimizer.learningRate": "1",
    },
    gain: 0.13,
    seconds: 810,
    megabytes: 1720,
  },
} as const;

const corrected = {
  plugins: "difficultyCorrection",
  options: { "plugins.difficultyCorrection.weight": "0.002" },
};

/** Three methods and one with a plugin, at one setting. */
const everyMethod = (
  at: string,
  setting: Pick<Config, "dataset" | "imbalance" | "imagesPerClass">,
): Config[] => [
  ...(["random", "dm", "csdm"] as const).map((objective) => ({
    experiment: `${objective}-${at}`,
    objective,
    ...setting,
  })),
  { experiment: `csdm-sdc-${at}`, objective: "csdm", ...corrected, ...setting, effect: 0.015 },
];

const longTailed = { dataset: "cifar10", imbalance: 100, imagesPerClass: 10 };

/** Configs that differ from csdm at the long-tailed setting in one option. */
const swept = (path: string, effects: Readonly<Record<string, number>>): Config[] =>
  Object.entries(effects).map(([value, effect]) => ({
    experiment: `csdm-${path.split(".").at(-1)!}-${value}`,
    objective: "csdm",
    ...longTailed,
    options: { [path]: value },
    effect,
  }));

/** The whole study: see `richRows`. */
const study: readonly Config[] = [
  ...[1, 10, 50].flatMap((imagesPerClass) =>
    everyMethod(`lt100-ipc${imagesPerClass}`, { ...longTailed, imagesPerClass }),
  ),
  ...[1, 10, 50].flatMap((imbalance) => everyMethod(`lt${imbalance}-ipc10`, { ...longTailed, imbalance })),
  ...swept("objective.kernel.scale", { "0.25": -0.05, "0.5": -0.02, "2": 0.01, "4": -0.03 }),
  ...swept("objective.weighting.alphaHead", { "0.5": -0.012, "0.6": 0.004, "0.8": -0.001, "0.9": -0.009 }),
  ...swept("objective.kernel.name", { laplacian: -0.008, matern: 0.006, cauchy: -0.02 }),
  ...["0.0005", "0.008"].map((weight) => ({
    experiment: `csdm-sdc-weight-${weight}`,
    objective: "csdm",
    ...corrected,
    ...longTailed,
    options: { "plugins.difficultyCorrection.weight": weight },
    effect: weight === "0.008" ? -0.04 : 0.008,
  })),
  ...[convNet, resNet].flatMap((network) =>
    (["random", "dm", "csdm"] as const).map((objective) => ({
      experiment: network === convNet ? `${objective}-lt100-ipc10` : `${objective}-lt100-ipc10-resNet18`,
      objective,
      ...longTailed,
      network,
      evaluationNetworks: network === convNet ? [resNet, alexNet] : [convNet, resNet, alexNet],
    })),
  ),
  ...(["random", "dm"] as const).flatMap((objective) =>
    [1, 10].map((imagesPerClass) => ({
      experiment: `${objective}-mnist-ipc${imagesPerClass}`,
      objective,
      dataset: "mnist",
      imbalance: 1,
      imagesPerClass,
    })),
  ),
];

/**
 * Rows of a whole study, always the same: four methods on cifar10 at 100:1 with 1, 10 and 50 images per class, and at
 * 10 with imbalances from 1 to 100; kernel scale, head weight, penalty's weight (numbers) and kernel (text) varied one at
 * a time; two networks to distil with and three to evaluate with; two methods on mnist with one network each; a network
 * whose training failed and a distillation that did. Two seeds and three networks for all else.
 */
export function richRows(): Row[] {
  const failed = {
    accuracy: NaN,
    headAccuracy: NaN,
    mediumAccuracy: NaN,
    tailAccuracy: NaN,
    classAccuracies: [],
  };
  const rows = study.flatMap(rowsOfConfig);
  const dm = rows.find(({ experiment }) => experiment === "dm-lt100-ipc50")!;
  return [
    ...rows,
    { ...dm, ...failed, evaluationSeed: 3, status: "loss is not finite at epoch 12" },
    { ...dm, ...failed, distillSeed: 2, evaluationSeed: -1, status: "loss is not finite at step 40" },
  ];
}

function rowsOfConfig(config: Config): Row[] {
  const { options = {}, effect = 0, evaluationNetworks = [config.network ?? convNet], ...columns } = config;
  const method = methods[config.objective as keyof typeof methods];
  const few = config.dataset === "mnist" ? 1 : undefined;
  const learned = config.objective !== "random";
  const usual = config.plugins === undefined ? method.options : { ...method.options, ...corrected.options };
  return evaluationNetworks.flatMap((evaluationNetwork) =>
    range(few ?? 2).flatMap((distillSeed) =>
      range(few ?? 3).map((evaluationSeed) => {
        const rng = seeded(0).stream(
          [config.experiment, evaluationNetwork, distillSeed, evaluationSeed].join("/"),
        );
        const expected = expectedAccuracy(config, evaluationNetwork) + method.gain + effect;
        const classAccuracies = classesAround(expected, config.imbalance, rng);
        const { head, medium, tail } = thirds(
          classAccuracies,
          classAccuracies.map((_, label) => 10 - label),
        );
        const work = learned ? Math.sqrt(config.imagesPerClass / 10) * (1 + 0.03 * distillSeed) : 0;
        return {
          ...row({ ...columns, network: config.network ?? convNet, steps: learned ? 20_000 : 0 }),
          options: Object.entries({ ...usual, ...options })
            .map(([path, value]) => `${path}=${value}`)
            .sort()
            .join(";"),
          distillSeed,
          evaluationNetwork,
          evaluationSeed,
          accuracy: average(classAccuracies),
          headAccuracy: head,
          mediumAccuracy: medium,
          tailAccuracy: tail,
          classAccuracies,
          distillSeconds: work * method.seconds * (config.network === resNet ? 4 : 1),
          evaluationSeconds: 40 + 2 * config.imagesPerClass + evaluationSeed,
          peakMegabytes: method.megabytes * (1 + 0.1 * work),
        };
      }),
    ),
  );
}

/** Of random images: more with more images, less with more imbalance and on another network than they were made with. */
function expectedAccuracy(
  { dataset, imbalance, imagesPerClass, network = convNet }: Config,
  other: string,
): number {
  const base = dataset === "mnist" ? 0.7 : 0.28;
  const transfer = other === network ? 0 : other === alexNet ? 0.07 : 0.04;
  return base + 0.09 * Math.log10(imagesPerClass) - 0.03 * Math.log10(imbalance) - transfer;
}

/** Class accuracies that fall from head to tail by imbalance, with noise. */
function classesAround(accuracy: number, imbalance: number, rng: Rng): number[] {
  const luck = 0.008 * rng.normal();
  const slope = 0.06 * Math.log10(imbalance);
  return range(10).map((label) => {
    const shape = 0.08 * Math.cos(2.4 * label);
    const value = accuracy + luck + shape + slope * (1 - label / 4.5) + 0.012 * rng.normal();
    return Math.round(1000 * Math.min(1, Math.max(0, value))) / 1000; // of 1000 test images each
  });
}

/** Records of the study's runs at 10 images per class and 100:1, and of those on mnist. */
export function richRuns(rows: readonly Row[] = richRows()): RunRecord[] {
  const kept = rows.filter(
    (one) =>
      Number.isFinite(one.accuracy) && (one.experiment.includes("lt100-ipc10") || one.dataset === "mnist"),
  );
  const runs = new Map(kept.map((one) => [`${one.experiment}/${one.distillSeed}`, one]));
  return [...runs.values()].map((one) => ({
    experiment: one.experiment,
    method: methodOf(one),
    dataset: one.dataset,
    imbalance: one.imbalance,
    imagesPerClass: one.imagesPerClass,
    seed: one.distillSeed,
    metrics: one.steps === 0 ? [] : metricsOf(one),
    discrepancy: discrepancyOf(one),
    spectra: {
      real: spectraAround(1, one.dataset),
      synthetic: spectraAround(excessOf(one) * (1 + 0.06 * one.distillSeed), one.dataset),
    },
  }));
}

/** A noisy decay with one spike, so that a chart can lose it; methods with a plugin also log a difficulty. */
function metricsOf({ experiment, objective, plugins, distillSeed }: Row): RunRecord["metrics"] {
  const rng = seeded(1).stream(`${experiment}/${distillSeed}`);
  const start = objective === "dm" ? 40 : 0.9;
  return range(2000).map((i) => {
    const decay = start * (0.02 + 0.98 * Math.exp(-i / 150));
    const loss = decay * Math.exp(0.15 * rng.normal()) * (i === 1234 ? 9 : 1);
    const difficulty = plugins === "" ? {} : { difficulty: 3 + 2 * Math.exp(-i / 400) + 0.1 * rng.normal() };
    return {
      step: i + 1,
      loss,
      gradientNorm: Math.sqrt(decay) * Math.exp(0.1 * rng.normal()),
      ...difficulty,
    };
  });
}

/** Distances that shrink with the method's images getting better, and grow from class to class. */
function discrepancyOf({ objective, plugins, distillSeed, network }: Row): FeatureDiscrepancy {
  const share = objective === "random" ? 1 : objective === "dm" ? 0.35 : plugins === "" ? 0.3 : 0.42;
  const factors = [0.5, 1, 2];
  const at = (label: number, level: number): number[] =>
    factors.map((factor) => (level * (0.04 + 0.004 * label) * (1 + 0.05 * distillSeed)) / factor);
  const around = (level: number) => ({
    overall: at(4.5, level),
    classes: range(10).map((label) => at(label, level * (1 + 0.1 * Math.cos(3 * label)))),
  });
  return {
    network,
    networks: 3,
    testImages: range(10).map(() => 100),
    factors,
    synthetic: around(share),
    real: around(1 / (1 + 0.05 * distillSeed)),
  };
}

/** How much more power a method's images have at high frequencies. */
function excessOf({ objective, plugins }: Row): number {
  if (objective === "random") return 1.02;
  return objective === "dm" ? 2.1 : plugins === "" ? 1.5 : 1.2;
}

/** Power that falls as 1/k², with more of it at high frequencies the larger `excess`, and in later classes. */
function spectraAround(excess: number, dataset: string): { overall: number[]; classes: number[][] } {
  const size = dataset === "mnist" ? 28 : 32;
  const spectrum = (level: number, more: number): number[] =>
    range(Math.round(size / Math.SQRT2) + 1).map(
      (k) => (level * (1 + (excess - 1) * more * (k / 16))) / (0.3 + k) ** 2,
    );
  return {
    overall: spectrum(10, 1),
    classes: range(10).map((label) => spectrum(5.5 + label, 0.55 + label / 10)),
  };
}

/** The whole study as charts and tables take it. */
export function richData(): ReportData {
  const rows = richRows();
  return { summaries: summarize(rows), classNames: richClassNames, runs: richRuns(rows), maps: [richMap()] };
}

const range = (length: number): number[] => Array.from({ length }, (_, i) => i);
const average = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
