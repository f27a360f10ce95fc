import type { Row } from "../../results.ts";
import type { Metric } from "../../runFolder.ts";
import type { Look } from "../palette.ts";
import { type Html, html } from "../html.ts";
import { methodOf, pluralOf } from "../labels.ts";
import type { PageData, Unfinished } from "./pageData.ts";
import { about, methodLabel, scrolling, section, timeText } from "./parts.ts";

/** Points of a line of the loss so far; each is the mean of a stretch. */
const POINTS = 60;

/** Runs that have no result yet and did not fail: how far they are, and the loss so far. */
export function progressSection({ unfinished }: PageData, seriesOf: Look): Html {
  const going = unfinished.filter(({ failure }) => failure === undefined);
  if (going.length === 0) return html``;
  return section(
    "progress",
    "Under way",
    "Runs without a result yet. One that waits goes on from its last checkpoint when it is started again.",
    html`<div class="cards">${going.map((run) => progressCard(run, seriesOf))}</div>`,
  );
}

function progressCard(run: Unfinished, seriesOf: Look): Html {
  const { experiment, method, dataset, seed, step, steps, metrics, updated, busy } = run;
  const loss = latest(metrics, "loss");
  const difficulty = latest(metrics, "difficulty");
  const share = steps > 0 ? (100 * step) / steps : 0;
  return html`<div class="card run" ${about({ method, dataset })}>
    <h3>${methodLabel(method, seriesOf, experiment)}</h3>
    <p class="soft">${dataset}, seed ${seed}, ${busy ? "running" : "waiting"}</p>
    <progress value="${step}" max="${Math.max(1, steps)}" aria-label="${experiment}, seed ${seed}">
      ${share.toFixed(0)} %
    </progress>
    <p>
      <b>step ${step}</b> of ${steps}${loss === undefined ? "" : `, loss ${loss}`}
      ${difficulty === undefined ? "" : html`<br />difficulty of the images ${difficulty}`}
      ${run.secondsLeft === undefined ? "" : html`<br />${timeText(run.secondsLeft)} left`}
      ${updated === undefined ? "" : html`<br /><small>last written <time datetime="${updated}">${clock(updated)}</time></small>`}
    </p>
    ${sparkline(metrics, seriesOf(method).className)}
  </div>`;
}

/** The last finite value of a column, in four digits. */
function latest(metrics: readonly Metric[], name: string): string | undefined {
  const value = metrics.findLast((metric) => Number.isFinite(metric[name]))?.[name];
  return value === undefined ? undefined : String(Number(value.toPrecision(4)));
}

const clock = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;

/** The loss so far as a small line, on a logarithmic scale. */
function sparkline(metrics: readonly Metric[], className: string): Html {
  const losses = metrics.flatMap(({ loss = NaN }) => (loss > 0 && Number.isFinite(loss) ? [loss] : []));
  if (losses.length < 2) return html``;
  const stretch = Math.ceil(losses.length / POINTS);
  const levels = Array.from({ length: Math.ceil(losses.length / stretch) }, (_, i) => {
    const piece = losses.slice(i * stretch, (i + 1) * stretch);
    return Math.log(piece.reduce((sum, loss) => sum + loss, 0) / piece.length);
  });
  const [low, high] = [Math.min(...levels), Math.max(...levels)];
  const points = levels.map((level, i) => {
    const x = (100 * i) / Math.max(1, levels.length - 1);
    const y = high > low ? 30 - (28 * (level - low)) / (high - low) : 16;
    return `${x.toFixed(1)} ${y.toFixed(1)}`;
  });
  return html`<svg
    class="sparkline ${className}"
    viewBox="0 0 100 32"
    preserveAspectRatio="none"
    aria-hidden="true"
  >
    <path d="M${points.join("L")}" />
  </svg>`;
}

/** Something that failed, and why. */
export interface Failure {
  readonly experiment: string;
  readonly method: string;
  readonly dataset: string;
  readonly seed: number;
  readonly what: string;
  readonly error: string;
}

/** Networks without an accuracy, and distillations without a result, each once. */
export function failuresOf({ rows, unfinished }: Pick<PageData, "rows" | "unfinished">): Failure[] {
  const failed = rows.filter(({ accuracy }) => !Number.isFinite(accuracy));
  const stopped = unfinished.filter((run) => !failed.some((row) => isOf(row, run)));
  return [
    ...failed.map((row) => ({
      ...row,
      method: methodOf(row),
      seed: row.distillSeed,
      what: whatFailed(row),
      error: row.status,
    })),
    ...stopped.flatMap(({ failure, ...run }) =>
      failure === undefined
        ? []
        : [{ ...run, what: `distilling, at step ${run.step} of ${run.steps}`, error: failure }],
    ),
  ];
}

/** Everything that failed, with its error. */
export function failureSection(data: PageData, seriesOf: Look): Html {
  const items = failuresOf(data);
  if (items.length === 0) return html``;
  const table = html`<table class="sortable">
    <thead>
      <tr>
        <th scope="col">run</th>
        <th scope="col">data set</th>
        <th scope="col" class="number">seed</th>
        <th scope="col">what failed</th>
        <th scope="col">error</th>
      </tr>
    </thead>
    <tbody>
      ${items.map((item) => failureRow(item, seriesOf))}
    </tbody>
  </table>`;
  return section(
    "failures",
    "Failed",
    `${pluralOf(items.length, "failure")}; no mean on this page includes one.`,
    scrolling("What failed, and why", table),
  );
}

function failureRow(item: Failure, seriesOf: Look): Html {
  return html`<tr ${about(item)}>
    <th scope="row">${methodLabel(item.method, seriesOf, item.experiment)}</th>
    <td>${item.dataset}</td>
    <td class="number">${item.seed}</td>
    <td>${item.what}</td>
    <td class="error">${item.error}</td>
  </tr>`;
}

const isOf = (row: Row, run: Unfinished): boolean =>
  row.evaluationSeed === -1 && row.experiment === run.experiment && row.distillSeed === run.seed;

function whatFailed({ evaluationSeed, evaluationNetwork }: Row): string {
  return evaluationSeed < 0 ? "distilling" : `training ${evaluationNetwork}, seed ${evaluationSeed}`;
}
