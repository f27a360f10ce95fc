import type { ReportData, RunRecord } from "../data.ts";
import { pluralOf } from "../labels.ts";
import type { Look } from "../palette.ts";
import { groups } from "../summarize.ts";
import { type Chart, colorOf } from "./chart.ts";
import { labelsOf } from "./metrics.ts";
import { type Panel, panelled } from "./panels.ts";
import {
  bars,
  binsOf,
  difficultyAxis,
  type GuidedExperiment,
  type GuidedRun,
  type SamplingSetting,
  shareAxis,
} from "./samplingBins.ts";
import { classSamplingChart } from "./samplingClasses.ts";
import { inName, inWords } from "./setting.ts";

/** Runs whose images were chosen by their difficulty. */
export function guidedRuns(runs: readonly RunRecord[]): GuidedRun[] {
  return runs.filter((run): run is GuidedRun => run.selection?.classes !== undefined);
}

/**
 * How hard images are before and after a choice by difficulty: the real ones, those to choose from, and those that each way
 * to choose has taken, for all that choose from the same by the same scores; and the same class by class.
 */
export function samplingCharts({ runs, summaries, classNames }: ReportData, look: Look): Chart[] {
  const keyed = guidedRuns(runs).map((run) => ({ ...run, scores: scoresKey(run) }));
  const all = groups(keyed, ["dataset", "imbalance", "imagesPerClass", "scores"]);
  const charts = [...all.values()].map((rivals, at) => {
    const experiments = [...groups(rivals, ["experiment"]).values()];
    const labels = labelsOf(experiments, summaries);
    const methods = [...new Set(rivals.map(({ method }) => method))];
    const shown = experiments.map((own, i): GuidedExperiment => {
      const { method } = own[0]!;
      return { label: labels[i]!, method: methods.indexOf(method), color: colorOf(look(method)), runs: own };
    });
    const { dataset, imbalance, imagesPerClass } = rivals[0]!;
    const setting = { dataset, imbalance, imagesPerClass };
    const about = {
      ...setting,
      methods,
      name: `${inName(setting, [])}${all.size > 1 ? `-${at + 1}` : ""}`,
      words: inWords(setting),
      classNames: classNames[dataset] ?? [],
    };
    return {
      overall: overallChart(shown, about),
      classes: shown.map((one) => classSamplingChart(one, about)),
    };
  });
  return [...charts.map(({ overall }) => overall), ...charts.flatMap(({ classes }) => classes)];
}

/** Equal for runs that choose from the same images by the same scores, searched alike. */
function scoresKey({ selection: { classes, scorer, search } }: GuidedRun): string {
  return JSON.stringify([scorer, search, classes.map(({ pool, real }) => [pool, real])]);
}

function overallChart(experiments: readonly GuidedExperiment[], about: SamplingSetting): Chart {
  const { classes, scorer, from } = experiments[0]!.runs[0]!.selection;
  const rows = [
    { label: "Real images", layer: "other_real", color: "var(--ink)", classes, images: "real" as const },
    ...(from === "real"
      ? []
      : [{ label: "Pool", layer: "other_pool", color: "var(--soft)", classes, images: "pool" as const }]),
    ...experiments.map(({ label, method, color, runs }, i) => ({
      ...{ label, color, layer: `series_${method}_chosen${i}`, images: "chosen" as const },
      classes: runs.flatMap((run) => run.selection.classes),
    })),
  ];
  const plots = rows.flatMap(({ classes: own, images, ...row }) =>
    (["raw", "transformed"] as const).map((scores) => ({
      ...row,
      scores,
      bins: binsOf(own, images, scores),
    })),
  );
  const panels = plots.map(({ label, layer, color, scores, bins }, i): Panel => ({
    // Half a chart's width has no room for the method as well.
    name: scores === "raw" ? label.replace(/^[^,]*, /, "") : "log-transformed",
    layers: (x, y) => [bars(`${layer}_${i}`, { bins, color }, x, y)],
  }));
  const title = "Difficulty before and after sampling";
  const percent = (shares: readonly number[]): string =>
    shares.map((one) => (100 * one).toFixed(0)).join(", ");
  const seeds = Math.max(...experiments.map(({ runs }) => runs.length));
  return {
    id: `sampling-${about.name}`,
    section: "sampling",
    title,
    caption:
      `${about.words} As scored, left, and after the log transform by which images are chosen, right; all classes together` +
      `${seeds > 1 ? `, over ${pluralOf(seeds, "seed")}` : ""}. Scored by ${pluralOf(scorer.accuracies.length, "network")} ` +
      `(${scorer.name}) with accuracies of ${percent(scorer.accuracies)} % on real images` +
      `${from === "real" ? "" : ` and ${percent(scorer.poolAccuracies)} % on the pool`}.`,
    alt: `${title}: ${about.words} ${plots
      .map(
        ({ label, scores, bins }) =>
          `${label}, ${scores}: ${bins.map(({ share }) => `${(100 * share).toFixed(0)}%`).join(" ")}`,
      )
      .join("; ")}.`,
    dataset: about.dataset,
    methods: about.methods,
    legend: [],
    numbers: plots.flatMap(({ label, scores, bins }) =>
      bins.map(({ from: low, to, share }) => ({ images: label, scores, from: low, to, share })),
    ),
    spec: panelled(panels, {
      x: difficultyAxis,
      y: shareAxis(plots.flatMap(({ bins }) => bins.map(({ share }) => share))),
      columns: 2,
      height: 44,
    }),
  };
}
