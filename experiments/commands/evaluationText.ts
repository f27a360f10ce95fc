import { mean } from "../../src/evaluation/statistics.ts";
import { textTable } from "../bench/table.ts";
import { duration } from "../progress.ts";
import { pluralOf } from "../report/labels.ts";
import { percentSpread } from "../report/numbers.ts";
import { spreadOf } from "../report/statistics.ts";
import type { Row } from "../results.ts";

/** Accuracy of rows as text, in percent: mean and spread over networks; of several architectures, a table of them. */
export function accuracyText(rows: readonly Row[]): string {
  const architectures = architecturesOf(rows);
  if (architectures.length > 1) return tableText(architectures.map((name) => rowsOn(name, rows)));
  const accuracies = accuraciesOf(rows);
  if (accuracies.length === 0) return `no accuracy: ${rows[0]?.status ?? "no network was trained"}`;
  return `${spreadText(accuracies)} % over ${pluralOf(accuracies.length, "network")}`;
}

/** Architectures of rows, in their order. */
export function architecturesOf(rows: readonly Row[]): string[] {
  return [...new Set(rows.map(({ evaluationNetwork }) => evaluationNetwork))];
}

const rowsOn = (name: string, rows: readonly Row[]): Row[] =>
  rows.filter(({ evaluationNetwork }) => evaluationNetwork === name);

/** A line for each architecture, and why networks of some have no accuracy. */
function tableText(groups: readonly (readonly Row[])[]): string {
  const lines = groups.map((rows) => {
    const accuracies = accuraciesOf(rows);
    const count = `${accuracies.length}${accuracies.length < rows.length ? ` of ${rows.length}` : ""}`;
    const seconds = mean(rows.map(({ evaluationSeconds }) => evaluationSeconds));
    return [rows[0]!.evaluationNetwork, spreadText(accuracies), count, duration(seconds)];
  });
  const failures = groups.flatMap((rows) => {
    const said = rows.filter(({ accuracy }) => !Number.isFinite(accuracy)).map(({ status }) => status);
    return [...new Set(said)].map((status) => `${rows[0]!.evaluationNetwork}: ${status}`);
  });
  return [textTable(["network", "accuracy, %", "networks", "time of each"], lines), ...failures].join("\n");
}

/** Of the networks whose training did not diverge. */
const accuraciesOf = (rows: readonly Row[]): number[] =>
  rows.map(({ accuracy }) => accuracy).filter(Number.isFinite);

const spreadText = (accuracies: readonly number[]): string => percentSpread(spreadOf(accuracies));
