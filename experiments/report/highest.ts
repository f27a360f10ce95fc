import type { Ablation, AblationCell, AblationPanel, Factor } from "./ablations.ts";
import { percentSpread } from "./numbers.ts";
import { compare, settings, type Summary } from "./summarize.ts";

/** Most sentences below one chart or table. */
const SENTENCES = 4;

/** The cell with the highest mean, and how sure that is. */
interface Highest {
  readonly summary: Summary;
  /** Others that are lower by more than chance, before correcting for the choice of the highest. */
  readonly lower: number;
  readonly others: number;
  /** Whether all have the repetitions that a test needs. */
  readonly testable: boolean;
  /** Whether all are tested in pairs. */
  readonly paired: boolean;
}

/** The highest mean of several summaries of one setting; none of fewer than two. */
export function highestOf(summaries: readonly Summary[]): Highest | undefined {
  if (summaries.length < 2) return undefined;
  const summary = summaries.reduce((a, b) => (b.accuracy.mean > a.accuracy.mean ? b : a));
  const comparisons = summaries.filter((one) => one !== summary).map((one) => compare(summary, one));
  return {
    summary,
    lower: comparisons.filter(({ holds }) => holds).length,
    others: comparisons.length,
    testable: comparisons.every(({ testable }) => testable),
    paired: comparisons.every(({ unit }) => unit === "pair"),
  };
}

/** Which cell of each panel and setting is highest, in words; nothing where that would be many sentences. */
export function highestSentences(ablation: Ablation): string[] {
  const places = ablation.panels.flatMap((panel) =>
    settings(panel.cells.map(({ summary }) => summary)).map((rivals) => ({ panel, rivals })),
  );
  if (places.length > SENTENCES) return [];
  const found = places.flatMap(({ panel, rivals }) => {
    const highest = highestOf(rivals);
    if (!highest) return [];
    const { summary, lower, others, testable, paired } = highest;
    const cell = panel.cells.find((one) => one.summary === summary)!;
    const alone = rivals.length < panel.cells.length;
    const where = [
      ...(ablation.panels.length > 1 ? [` of ${panelName(panel, ablation)}`] : []),
      ...(alone ? [` at imbalance ${summary.imbalance}`] : []),
    ].join("");
    const above = testable ? `, above ${lower} of ${others} others by more than chance` : "";
    const named = cellName(cell, ablation, alone);
    return {
      testable,
      paired,
      text: `Highest${where}: ${named}, ${percentSpread(summary.accuracy)}%${above}.`,
    };
  });
  if (found.length === 0) return [];
  const test = found.some(({ testable }) => testable)
    ? `Chance is by ${found.every(({ paired }) => paired) ? "the paired" : "Welch’s"} t-test at 5%, not corrected for choosing the highest.`
    : "Single networks cannot say what is chance.";
  return [...found.map(({ text }) => text), test];
}

/** A panel's method, where there are several, and its value of the third factor. */
export function panelName({ method, facet }: AblationPanel, { facet: factor, panels }: Ablation): string {
  const several = new Set(panels.map((panel) => panel.method)).size > 1;
  const ofFactor = factor && facet !== undefined ? [levelName(factor, facet)] : [];
  const parts = [...(several || ofFactor.length === 0 ? [method] : []), ...ofFactor];
  return parts.join(", ");
}

/** A value of a factor: a word as it is, a number after the factor's name. */
export function levelName({ name, numeric }: Factor, value: string): string {
  return numeric ? `${name} ${value}` : value;
}

/** "gaussian, scale 1", without the imbalance where that is said. */
function cellName({ values }: AblationCell, { x, line }: Ablation, withoutImbalance: boolean): string {
  return [line, x]
    .filter(({ path }) => values.has(path) && !(withoutImbalance && path === "imbalance"))
    .map((factor) => levelName(factor, values.get(factor.path)!))
    .join(", ");
}
