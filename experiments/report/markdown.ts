import { percent, percentSpread } from "./numbers.ts";
import { labelAmong, settingOf } from "./labels.ts";
import { settings, type Summary } from "./summarize.ts";

/** One Markdown table for each setting, accuracies in percent, with the number of networks and seeds. */
export function markdownTable(summaries: readonly Summary[]): string {
  return settings(summaries).map(settingTable).join("\n");
}

function settingTable(rivals: readonly Summary[]): string {
  const { title, detail } = settingOf(rivals[0]!);
  const longTailed = rivals[0]!.imbalance > 1;
  const head = [
    "method",
    "accuracy, %",
    ...(longTailed ? ["head", "medium", "tail"] : []),
    "networks",
    "seeds",
  ];
  const rows = rivals.map((one) => [
    labelAmong(rivals, one),
    one.best ? `**${percentSpread(one.accuracy)}**` : percentSpread(one.accuracy),
    ...(longTailed
      ? [one.headAccuracy, one.mediumAccuracy, one.tailAccuracy].map(({ mean }) => percent(mean))
      : []),
    String(one.accuracy.count),
    String(one.seedAccuracy.count),
  ]);
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, column) => (column === 0 ? "---" : "---:"));
  return [`**${title}.** ${detail}.`, "", line(head), line(rule), ...rows.map(line), ""].join("\n");
}
