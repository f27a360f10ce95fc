import { type Html, html } from "../html.ts";
import { type Finding, findingsOf, tally } from "../findings.ts";
import { methodOf, pluralOf } from "../labels.ts";
import { about, folded, idOf, timeText } from "./parts.ts";
import { failuresOf } from "./runs.ts";
import { unpartnered } from "../unpartnered.ts";
import { mixtures } from "./mixtures.ts";
import type { PageData } from "./pageData.ts";

/** Findings shown at once; more are folded away under their count. */
const FINDINGS_SHOWN = 6;

/** Title, numbers of everything, and in words what the results show. */
export function overview(data: PageData): Html {
  const all = findingsOf(data.summaries);
  // Comparisons first, then methods that were measured alone.
  const findings = [...all.filter(({ methods }) => methods > 1), ...all.filter(({ methods }) => methods < 2)];
  return html`<section id="summary" aria-labelledby="summary-heading">
    <h1 id="summary-heading">Distilled sets, side by side</h1>
    <p class="lead">
      Networks trained from scratch on small synthetic sets, each tested once, after its last epoch, on all
      real test images.
    </p>
    ${isEmpty(data) ? waitingFor(data) : tiles(data)} ${warnings(data)}
    ${findings.length > 0 ? whatTheyShow(findings) : ""}
  </section>`;
}

function isEmpty({ rows, runs, unfinished }: PageData): boolean {
  return rows.length + runs.length + unfinished.length === 0;
}

/** Nothing is waited for where there is something else to see. */
function waitingFor({ continual = [] }: PageData): Html {
  return continual.length > 0 ? html`` : waiting;
}

/** A live page is there before the first run is. */
const waiting = html`<p class="waiting">
  Waiting for the first run: loss, images and accuracies appear here as soon as a run writes them.
</p>`;

function tiles({ rows, summaries, unfinished }: PageData): Html {
  const measured = rows.filter(({ accuracy }) => Number.isFinite(accuracy));
  const sets = new Map(measured.map((row) => [`${row.experiment}/${row.distillSeed}`, row]));
  const failed = failuresOf({ rows, unfinished }).length;
  const going = unfinished.filter(({ failure }) => failure === undefined).length;
  const distilling = [...sets.values()].reduce((sum, row) => sum + (row.distillSeconds || 0), 0);
  const evaluating = measured.reduce((sum, row) => sum + (row.evaluationSeconds || 0), 0);
  const facts: (readonly [string, string | number])[] = [
    counted("method", new Set(summaries.map(methodOf)).size),
    counted("data set", new Set(summaries.map(({ dataset }) => dataset)).size),
    counted("synthetic set", sets.size),
    counted("network", measured.length),
    ["distilling", timeText(distilling)],
    ["evaluating", timeText(evaluating)],
    ...(failed > 0 ? ([["failed", failed]] as const) : []),
    ...(going > 0 ? ([["under way", going]] as const) : []),
  ];
  return html`<dl class="tiles">
    ${facts.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}

function counted(noun: string, count: number): readonly [string, number] {
  return [count === 1 ? noun : `${noun}s`, count];
}

function warnings({ rows, summaries, unreadable }: PageData): Html {
  const found = [
    ...mixtures(rows),
    ...unpartnered(summaries),
    ...unreadable.map((why) => `A run is left out. ${why}`),
  ];
  if (found.length === 0) return html``;
  return html`<aside class="warning" aria-label="Before comparing">
    <strong>Before comparing</strong>
    <ul>
      ${found.map((text) => html`<li>${text}</li>`)}
    </ul>
  </aside>`;
}

function whatTheyShow(findings: readonly Finding[]): Html {
  const overall = tally(findings);
  const shown = findings.slice(0, FINDINGS_SHOWN);
  const rest = findings.slice(FINDINGS_SHOWN);
  return html`<h2 id="findings">What they show</h2>
    ${overall === undefined ? "" : html`<p class="tally">${overall}</p>`}
    <ul class="findings">
      ${shown.map((one) => findingItem(one, findings))}
    </ul>
    ${
      rest.length === 0
        ? ""
        : folded(
            pluralOf(rest.length, "more setting"),
            html`<ul class="findings">
              ${rest.map((one) => findingItem(one, findings))}
            </ul>`,
            { id: "more-findings" },
          )
    }`;
}

function findingItem(one: Finding, all: readonly Finding[]): Html {
  const [first, ...others] = one.sentences;
  const alike = all.filter(({ title }) => title === one.title).length > 1;
  return html`<li${about({ dataset: one.dataset })} class="${one.winner === undefined ? "open" : "holds"}">
    <h3 id="${idOf("finding", one.title, one.detail)}">${one.title}</h3>
    ${alike ? html`<p class="soft">${one.detail}</p>` : ""}
    <p><b>${unbroken(first!)}</b> ${unbroken(others.join(" "))}</p>
  </li>`;
}

/** Keeps numbers on one line with their signs and units. */
function unbroken(text: string): string {
  return text.replace(/ (?=[±=<%])|(?<=[±=<]) /g, "\u00a0");
}
