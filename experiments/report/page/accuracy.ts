import type { Look } from "../palette.ts";
import { percent, percentSpread } from "../numbers.ts";
import { spreadBar } from "./bars.ts";
import { type Html, html } from "../html.ts";
import { labelAmong, methodOf, settingOf, significanceNote } from "../labels.ts";
import { type ScoresBeside, scoresBeside } from "../rankings.ts";
import { groups, settings, type Summary } from "../summarize.ts";
import { comparisonTables } from "../tables/comparison.ts";
import { scoresNote } from "../tables/ranking.ts";
import { comparison } from "./comparison.ts";
import type { PageData } from "./pageData.ts";
import { about, folded, idOf, methodLabel, scrolling, section, timeText } from "./parts.ts";

/** Tables shown open; those of more settings are folded away under their titles. */
const TABLES_OPEN = 6;
const BASELINE = "random";

/** A column of numbers: its heading, what a row shows, and what it is sorted by. */
interface Column {
  readonly heading: string;
  readonly show: (one: Summary) => string | Html;
  readonly value: (one: Summary) => number;
}

/** Methods against settings where there are several, one table for each setting, and the charts of accuracy. */
export function accuracySection(data: PageData, look: Look, charts: Html): Html {
  const all = settings(data.summaries);
  if (all.length === 0) return html``;
  const comparisons = [...groups(data.summaries, ["dataset"]).values()].flatMap((summaries) =>
    comparisonTables({ ...data, summaries }).map((table) => comparison(table, summaries[0]!.dataset, look)),
  );
  return section(
    "accuracy",
    "Accuracy",
    significanceNote,
    html`${comparisons}${all.map((rivals, i) => settingTable(rivals, { open: i < TABLES_OPEN, scores: scoresBeside(rivals, data) }, look))}${charts}`,
  );
}

interface Setting {
  readonly open: boolean;
  readonly scores: ScoresBeside | undefined;
}

function settingTable(rivals: readonly Summary[], { open, scores }: Setting, look: Look): Html {
  const { title, detail } = settingOf(rivals[0]!);
  return html`<div class="setting" ${about({ dataset: rivals[0]!.dataset })}>
    ${folded(
      html`<h3>${title}</h3>
        <span class="soft">${detail}</span>`,
      html`${scores ? html`<p class="soft">${scoresNote(scores)}</p>` : ""}
      ${scrolling(`Accuracy on ${title}. ${detail}`, table(rivals, scores, look))}`,
      { open, id: idOf("table", title, detail) },
    )}
  </div>`;
}

function table(rivals: readonly Summary[], scores: ScoresBeside | undefined, seriesOf: Look): Html {
  const tops = rivals.map(({ accuracy: { mean, std } }) => mean + (std || 0)).filter(Number.isFinite);
  const full = Math.min(1, Math.ceil(10 * Math.max(0.1, ...tops)) / 10);
  const columns = columnsOf(rivals, scores);
  return html`<table class="sortable">
    <thead>
      <tr>
        <th scope="col">Method <small>(bars: 0 to ${percent(full, 0)} %)</small></th>
        ${columns.map(({ heading }) => html`<th scope="col" class="number">${heading}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rivals.map((one) => row(one, labelAmong(rivals, one), { columns, full, seriesOf }))}
    </tbody>
  </table>`;
}

interface RowContext {
  readonly columns: readonly Column[];
  /** Accuracy at which a bar is full. */
  readonly full: number;
  readonly seriesOf: Look;
}

function row(one: Summary, label: string, { columns, full, seriesOf }: RowContext): Html {
  const method = methodOf(one);
  const cells = columns.map(({ show, value }) => {
    const sorted = value(one);
    return html`<td class="number" data-sort="${Number.isFinite(sorted) ? sorted : ""}">${show(one)}</td>`;
  });
  return html`<tr ${about({ method })}>
    <th scope="row" class="${seriesOf(method).className}" data-sort="${label}">
      ${methodLabel(method, seriesOf, label)}${spreadBar(one.accuracy, full)}
    </th>
    ${cells}
  </tr>`;
}

const memory: Column = {
  heading: "memory",
  show: ({ peakMegabytes: { mean } }) => (Number.isFinite(mean) ? `${(mean / 1000).toFixed(1)} GB` : "–"),
  value: ({ peakMegabytes }) => peakMegabytes.mean,
};

function scoreColumn(score: "lrs" | "ars", scores: ScoresBeside): Column {
  return {
    heading: `${score.toUpperCase()}, %`,
    show: (one) => {
      const found = scores.of(one);
      return found ? percentSpread(found[score]) : "–";
    },
    value: (one) => scores.of(one)?.[score].mean ?? NaN,
  };
}

function columnsOf(rivals: readonly Summary[], scores: ScoresBeside | undefined): Column[] {
  const baseline = rivals.find((one) => methodOf(one) === BASELINE);
  const thirds = rivals[0]!.imbalance > 1 ? (["head", "medium", "tail"] as const) : [];
  const gain = (one: Summary): number => (baseline ? one.accuracy.mean - baseline.accuracy.mean : NaN);
  return [
    { heading: "Accuracy, %", show: accuracyText, value: ({ accuracy }) => accuracy.mean },
    ...(baseline && rivals.length > 1
      ? [
          {
            heading: `over ${BASELINE}`,
            show: (one: Summary) => (one === baseline ? "–" : signed(gain(one))),
            value: gain,
          },
        ]
      : []),
    ...thirds.map((third) => ({
      heading: third,
      show: (one: Summary) => percent(one[`${third}Accuracy`].mean),
      value: (one: Summary) => one[`${third}Accuracy`].mean,
    })),
    ...(scores ? (["lrs", "ars"] as const).map((score) => scoreColumn(score, scores)) : []),
    { heading: "networks", show: networksText, value: ({ accuracy }) => accuracy.count },
    {
      heading: "seeds",
      show: ({ seedAccuracy }) => String(seedAccuracy.count),
      value: ({ seedAccuracy }) => seedAccuracy.count,
    },
    {
      heading: "distilling",
      show: ({ distillSeconds }) => timeText(distillSeconds.mean),
      value: ({ distillSeconds }) => distillSeconds.mean,
    },
    ...(rivals.some(({ peakMegabytes }) => Number.isFinite(peakMegabytes.mean)) ? [memory] : []),
    {
      heading: "each network",
      show: ({ evaluationSeconds }) => timeText(evaluationSeconds.mean),
      value: ({ evaluationSeconds }) => evaluationSeconds.mean,
    },
  ];
}

function accuracyText({ accuracy, best }: Summary): string | Html {
  const text = percentSpread(accuracy);
  return best
    ? html`<b>${text}</b> <span class="star" role="img" aria-label="best, and the difference holds">★</span>`
    : text;
}

function networksText({ accuracy, failures }: Summary): string {
  return failures > 0 ? `${accuracy.count} (+ ${failures} failed)` : String(accuracy.count);
}

function signed(difference: number): string {
  return Number.isFinite(difference) ? `${difference < 0 ? "−" : "+"}${percent(Math.abs(difference))}` : "–";
}
