import { type Ablation, ablationsOf, isShown } from "../ablations.ts";
import type { ReportData } from "../data.ts";
import { methodOf } from "../labels.ts";
import type { Look } from "../palette.ts";
import { groups, type Summary } from "../summarize.ts";
import { changesFrom, differences, mainVariant } from "../variants.ts";
import type { Chart } from "./chart.ts";
import { accuracyAxis, type Axis, framed } from "./frame.ts";
import { valuesAxis } from "./scales.ts";
import { legendOf, type Measured, measuredLayers, pointsInWords } from "./series.ts";
import { inName, inWords, repetitions, sharedBy } from "./setting.ts";

/** A column of numbers that accuracy is drawn against, one series for each method. */
export interface Along {
  readonly column: "imagesPerClass" | "imbalance";
  /** Begins the chart's id. */
  readonly name: string;
  readonly title: string;
  readonly axis: string;
}

/** All else that a method's points on one line share. */
const columns = [
  "dataset",
  "imbalance",
  "imagesPerClass",
  "network",
  "protocol",
  "evaluationNetwork",
] as const;

/** A chart for each setting in which some method was measured at several values of the column. */
export function chartsAlong(
  { summaries }: ReportData,
  look: Look,
  { column, name, title, axis }: Along,
): Chart[] {
  const rest = columns.filter((key) => key !== column);
  const measured = summaries.filter(({ accuracy }) => Number.isFinite(accuracy.mean));
  const ablations = ablationsOf(measured);
  return [...groups(measured, rest).values()].flatMap((group) => {
    const lines = linesOf(group, column, ablations);
    if (!lines.some(({ members }) => distinct(members, column) > 1)) return [];
    const shown = lines.flatMap(({ members }) => members);
    const methods = [...new Set(shown.map(methodOf))];
    const series = lines.map(({ label, members }): Measured => ({
      label,
      method: methods.indexOf(methodOf(members[0]!)),
      look: look(methodOf(members[0]!)),
      points: members.map((one) => ({ x: one[column], y: one.accuracy })),
      joined: distinct(members, column) > 1,
    }));
    const values = [...new Set(shown.map((one) => one[column]))];
    const x: Axis = { ...valuesAxis(axis, values), ...(column === "imbalance" && { scale: "log" }) };
    const setting = sharedBy(group);
    return [
      {
        id: `${name}-${inName(setting, summaries)}`,
        section: "accuracy" as const,
        title,
        caption: [inWords(setting), repetitions(shown), leftOut(group.length - shown.length)]
          .join(" ")
          .trim(),
        alt: `${title}: ${inWords(setting)} ${pointsInWords(series)}.`,
        dataset: group[0]!.dataset,
        methods,
        legend: legendOf(series),
        spec: framed(measuredLayers(series, x, accuracyAxis)),
      },
    ];
  });
}

/** Measurements of one method that make a line, and what it is called. */
interface Line {
  readonly label: string;
  readonly members: readonly Summary[];
}

/**
 * A line for each config of each method that was measured at several values; where none of a method was, its main config
 * at each value, whatever its options: published settings differ from one number of images to the next.
 */
export function linesOf(
  group: readonly Summary[],
  column: Along["column"],
  ablations: readonly Ablation[] = [],
): Line[] {
  const byMethod = groups(group, ["objective", "plugins"]);
  return [...byMethod.values()].flatMap((all) => {
    const configs = [...groups(all, ["options", "steps"]).values()].filter(
      (members) => distinct(members, column) > 1,
    );
    const method = methodOf(all[0]!);
    if (configs.length === 0) {
      return [{ label: method, members: [...groups(all, [column]).values()].map(mainVariant) }];
    }
    const main = mainVariant(configs.map((members) => members[0]!));
    // What an ablation shows line by line is one line here.
    const own = configs.filter((members) => members[0] === main || !isShown(ablations, column, members));
    return own.map((members) => {
      const changes = differences(main, members[0]!).length > 0 ? `, ${changesFrom(main, members[0]!)}` : "";
      return { label: method + changes, members };
    });
  });
}

function distinct(members: readonly Summary[], column: Along["column"]): number {
  return new Set(members.map((one) => one[column])).size;
}

function leftOut(count: number): string {
  return count > 0
    ? `Configs measured at one value alone, or shown among the options, are left out (${count}).`
    : "";
}
