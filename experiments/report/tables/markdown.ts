import { type Cell, type Column, differenceText, digits, headed, isDifference, type Table } from "./table.ts";

/** Tables as Markdown, one below the other, accuracies in percent. */
export function markdown(tables: readonly Table[]): string {
  return tables.map(ofTable).join("\n");
}

function ofTable({ title, note, columns, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const head = columns.map((column) =>
    escaped([...(column.group ? [column.group] : []), headed(column)].join(": ")),
  );
  const rule = columns.map((_, i) => (typeof rows[0]?.[i] === "string" ? "---" : "---:"));
  const body = rows.map((row) => line(row.map((cell, i) => written(cell, columns[i]!))));
  return [`**${escaped(title)}.** ${escaped(note)}`, "", line(head), line(rule), ...body, ""].join("\n");
}

function written(cell: Cell, column: Column): string {
  if (typeof cell !== "object") return escaped(String(cell));
  if (isDifference(cell)) return escaped(differenceText(cell.difference));
  const { mean, std, count } = digits(cell, column);
  if (mean === "") return "–";
  const text = std === "" ? mean : `${mean} ± ${std}`;
  return (cell.best ? `**${text}**` : text) + count;
}

/** Text that begins neither a cell nor anything else of Markdown's. */
function escaped(text: string): string {
  return text.replace(/[\\|*_<>`[\]]/g, "\\$&");
}
