/** A table in plain text: the first column to the left, the others to the right. */
export function textTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]!.length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join("  ")
      .trimEnd();
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

/** Three significant digits without an exponent, as in 1540, 15.4, 0.0154; empty for what there is none of. */
export function digits(value: number | null | undefined): string {
  if (value === null || value === undefined) return "";
  const size = Math.abs(Number(value.toPrecision(3)));
  if (size === 0 || size >= 100) return value.toFixed(0);
  return value.toFixed(2 - Math.floor(Math.log10(size)));
}
