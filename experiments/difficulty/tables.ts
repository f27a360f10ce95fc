import { type Correlation, difficultyCorrelations } from "../../src/evaluation/difficulty.ts";
import { mean } from "../../src/evaluation/statistics.ts";
import { pluralOf } from "../report/labels.ts";
import { percent } from "../report/numbers.ts";
import type { ScoredSubject } from "./score.ts";

/** A line of images.csv: one image. */
export interface ImageRow {
  /** Position in the set that it is from. */
  readonly index: number;
  readonly label: number;
  readonly gradn: number;
  /** χ, 0 to 1. */
  readonly misclassified: number;
  readonly loss: number;
  readonly el2n: number;
}

/** A line of summary.csv: all images, or those of one class. Correlations are NaN where a measure does not vary. */
export interface SummaryRow {
  /** The class's name; "all" for all. */
  readonly class: string;
  readonly images: number;
  /** Means over the images. */
  readonly gradn: number;
  readonly misclassified: number;
  readonly loss: number;
  /** Pearson's correlation of GraDN and χ; then Spearman's; and of the other pairs. */
  readonly gradnMisclassifiedPearson: number;
  readonly gradnMisclassifiedSpearman: number;
  readonly gradnLossPearson: number;
  readonly gradnLossSpearman: number;
  readonly misclassifiedLossPearson: number;
  readonly misclassifiedLossSpearman: number;
  readonly gradnEl2nPearson: number;
  readonly gradnEl2nSpearman: number;
}

export function imageRows({ difficulty, images, positions }: ScoredSubject): ImageRow[] {
  return Array.from(positions, (index, i) => ({
    index,
    label: images.dataset.labels[i]!,
    gradn: difficulty.gradn[i]!,
    misclassified: difficulty.misclassified[i]!,
    loss: difficulty.loss[i]!,
    el2n: difficulty.el2n[i]!,
  }));
}

/** All images first, then each class that has two or more. */
export function summaryRows({ difficulty, images }: ScoredSubject): SummaryRow[] {
  const { labels, classNames } = images.dataset;
  const all = Array.from(labels.keys());
  const classes = classNames.map((name, label) => ({
    name,
    members: all.filter((i) => labels[i] === label),
  }));
  return [{ name: "all", members: all }, ...classes]
    .filter(({ members }) => members.length > 1)
    .map(({ name, members }) => {
      const of = (values: Float64Array): number => mean(members.map((i) => values[i]!));
      const found = difficultyCorrelations(difficulty, members);
      return {
        class: name,
        images: members.length,
        gradn: of(difficulty.gradn),
        misclassified: of(difficulty.misclassified),
        loss: of(difficulty.loss),
        gradnMisclassifiedPearson: found.gradnMisclassified.pearson,
        gradnMisclassifiedSpearman: found.gradnMisclassified.spearman,
        gradnLossPearson: found.gradnLoss.pearson,
        gradnLossSpearman: found.gradnLoss.spearman,
        misclassifiedLossPearson: found.misclassifiedLoss.pearson,
        misclassifiedLossSpearman: found.misclassifiedLoss.spearman,
        gradnEl2nPearson: found.gradnEl2n.pearson,
        gradnEl2nSpearman: found.gradnEl2n.spearman,
      };
    });
}

/** What was found, to read on a terminal. */
export function difficultyText(scored: ScoredSubject): string {
  const { label, network, options, accuracies, difficulty, correlations } = scored;
  const { models, epochs } = options.networks;
  const trained =
    `${pluralOf(models, "network")} ${network}, ${pluralOf(epochs, "epoch")}, ` +
    `${percent(mean(accuracies))} % of the training images right`;
  const means = [
    `GraDN ${mean(Array.from(difficulty.gradn)).toPrecision(4)}`,
    `misclassified ${percent(mean(Array.from(difficulty.misclassified)))} %`,
    `loss ${mean(Array.from(difficulty.loss)).toPrecision(4)}`,
  ];
  const pairs: [string, Correlation][] = [
    ["GraDN, misclassified", correlations.gradnMisclassified],
    ["GraDN, loss", correlations.gradnLoss],
    ["misclassified, loss", correlations.misclassifiedLoss],
    ["GraDN, EL2N", correlations.gradnEl2n],
  ];
  return [
    `${label}: ${pluralOf(correlations.images, "image")} under ${trained}`,
    `means: ${means.join(", ")}`,
    "",
    `${"correlation".padEnd(22)}  Pearson  Spearman       n`,
    ...pairs.map(
      ([pair, { pearson, spearman }]) =>
        `${pair.padEnd(22)}  ${decimals(pearson).padStart(7)}  ${decimals(spearman).padStart(8)}  ` +
        String(correlations.images).padStart(6),
    ),
    ...(Number.isNaN(correlations.gradnMisclassified.pearson)
      ? ["– where a measure is the same for all images"]
      : []),
  ].join("\n");
}

function decimals(value: number): string {
  return Number.isNaN(value) ? "–" : value.toFixed(3);
}
