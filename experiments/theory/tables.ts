import { listed, pluralOf } from "../report/labels.ts";
import { percent } from "../report/numbers.ts";
import { agreementOf, type Comparison, comparisons, deviation, type TheoryResult } from "./run.ts";
import { type Place, totalOf, type View, views } from "./students.ts";

/** Lines of curves.csv. */
export function curveRows({ curves }: TheoryResult): Record<string, string | number>[] {
  return curves.map(({ student, ...place }) => ({ ...placeRow(place), ...student }));
}

/** Lines of points.csv. */
export function pointRows({ points, options }: TheoryResult): Record<string, string | number>[] {
  return points.map((point) => ({
    ...placeRow(point),
    dimensions: options.simulation.dimensions,
    ...point.found,
    theory: point.student.error,
    theoryMargin: point.student.margin,
    deviation: deviation(point),
  }));
}

function placeRow({ view, angle, keep, fraction, alpha }: Place): Record<string, string | number> {
  const total = totalOf({ view, angle, keep, fraction, alpha });
  return { view, angle, keep, fraction, alphaTotal: total, alphaKept: fraction * total };
}

/** Lines of crossovers.csv: one for each crossing, and one with an empty α for each pair of curves without. */
export function crossoverRows(result: TheoryResult): Record<string, string | number>[] {
  return result.comparisons.flatMap((one) => {
    const { view, angle, fraction, first, second } = one;
    const pair = { view, angle, fraction, first, second };
    const name = { first, second };
    const whole = { at: "", lowerBeyond: one.lowerAtFirst } as const;
    const crossings = one.crossings.length === 0 ? [whole] : one.crossings;
    return crossings.map(({ at, lowerBeyond }) => ({ ...pair, alpha: at, lowerBeyond: name[lowerBeyond] }));
  });
}

/** What the views hold, as part of a sentence. */
export const viewNames: Readonly<Record<View, string>> = {
  total: "at a fixed number of examples before pruning, α_tot",
  kept: "at a fixed number of examples kept, α_prune",
};

/** "above 2.96", "below 1.2", "0.4 to 1.2", everywhere or nowhere: where the first has the lower error. */
export function stretchOf({
  crossings,
  lowerAtFirst,
}: Pick<Comparison, "crossings" | "lowerAtFirst">): string {
  const edges = crossings.map(({ at }) => at.toPrecision(3));
  if (edges.length === 0) return lowerAtFirst === "first" ? "everywhere" : "nowhere";
  const stretches = lowerAtFirst === "first" ? [`below ${edges.shift()!}`] : [];
  while (edges.length > 1) stretches.push(`${edges.shift()!} to ${edges.shift()!}`);
  if (edges.length === 1) stretches.push(`above ${edges[0]!}`);
  return stretches.join(", ");
}

interface TableOfCrossovers {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

function crossoverTables({ comparisons: found, options }: TheoryResult): TableOfCrossovers[] {
  return views.map((view) => ({
    title:
      `Where one way to prune has a lower error than another, ${viewNames[view]}, ` +
      `from ${options.curves.from} to ${options.curves.to}`,
    head: [
      "probe",
      "kept",
      ...comparisons.map(
        ([first, second]) => `${first} below ${second === "none" ? "all examples" : second}`,
      ),
    ],
    rows: options.angles.flatMap((angle) =>
      options.fractions.map((fraction) => [
        angle === 0 ? "perfect" : `${angle}°`,
        `${percent(fraction, 0)} %`,
        ...comparisons.map(([first, second]) =>
          stretchOf(
            found.find(
              (one) =>
                one.view === view &&
                one.angle === angle &&
                one.fraction === fraction &&
                one.first === first &&
                one.second === second,
            )!,
          ),
        ),
      ]),
    ),
  }));
}

/** crossovers.md. */
export function crossoverMarkdown(result: TheoryResult): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return crossoverTables(result)
    .map(({ title, head, rows }) =>
      [`## ${title}`, "", line(head), line(head.map(() => "---")), ...rows.map(line), ""].join("\n"),
    )
    .join("\n");
}

/** What was found, to read on a terminal. */
export function theoryText(result: TheoryResult): string {
  const tables = crossoverTables(result).map(({ title, head, rows }) => {
    const widths = head.map((cell, i) => Math.max(cell.length, ...rows.map((row) => row[i]!.length)));
    const line = (cells: readonly string[]): string =>
      cells
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join("  ")
        .trimEnd();
    return [title, "", line(head), ...rows.map(line), ""].join("\n");
  });
  return [...tables, agreementText(result)].join("\n");
}

function agreementText({ points, options }: TheoryResult): string {
  const agreement = agreementOf(points);
  if (agreement === undefined) return "Nothing was simulated.";
  const { dimensions, trials } = options.simulation;
  const shares = agreement.within.map((share) => `${percent(share)} %`);
  return (
    `Simulation in ${dimensions} dimensions, ${pluralOf(trials, "trial")} each: of ${pluralOf(agreement.points, "point")} ` +
    `${listed(shares)} are within 1, 2 and 3 standard errors of the theory (by chance alone 68.3, 95.4 and 99.7 %), ` +
    `on average ${signed(agreement.mean)} away.`
  );
}

/** "+0.12" or "−0.12". */
function signed(value: number): string {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
}
