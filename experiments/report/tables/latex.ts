import { type Cell, type Column, differenceText, digits, headed, isDifference, type Table } from "./table.ts";

/** Makes what follows as narrow as the column where it is wider. */
const FITTED = "\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%";

/** A table as LaTeX, in the rules of the package booktabs, with caption and label. */
export function latex({ id, title, note, columns, rows }: Table): string {
  const alignment = columns.map((_, i) => (typeof rows[0]?.[i] === "string" ? "l" : "r")).join("");
  const line = (cells: readonly string[]): string => `    ${cells.join(" & ")} \\\\`;
  return [
    "% Needs \\usepackage{booktabs,graphicx}.",
    "\\begin{table}",
    "  \\centering",
    "  \\setlength{\\belowcaptionskip}{6pt}",
    `  \\caption{${escaped(title)}. ${escaped(note)}}`,
    `  \\label{tab:${id}}`,
    `  ${FITTED}`,
    `  \\begin{tabular}{${alignment}}`,
    "    \\toprule",
    ...groupLines(columns),
    line(columns.map((column) => escaped(headed(column)))),
    "    \\midrule",
    ...rows.map((row) => line(row.map((cell, i) => written(cell, columns[i]!)))),
    "    \\bottomrule",
    "  \\end{tabular}}",
    "\\end{table}",
    "",
  ].join("\n");
}

/** Names of groups over their columns, each with a rule below; nothing where there are none. */
function groupLines(columns: readonly Column[]): string[] {
  if (columns.every(({ group }) => group === undefined)) return [];
  const starts = columns.flatMap(({ group }, i) => (i === 0 || columns[i - 1]!.group !== group ? [i] : []));
  const spans = starts.map((start, i) => ({
    group: columns[start]!.group,
    from: start + 1,
    to: starts[i + 1] ?? columns.length,
  }));
  const cells = spans.map(({ group, from, to }) =>
    group === undefined
      ? "& ".repeat(to - from).trimEnd()
      : `\\multicolumn{${to - from + 1}}{c}{${escaped(group)}}`,
  );
  const rules = spans.flatMap(({ group, from, to }) =>
    group === undefined ? [] : [`\\cmidrule(lr){${from}-${to}}`],
  );
  return [`    ${cells.join(" & ")} \\\\`, `    ${rules.join(" ")}`];
}

function written(cell: Cell, column: Column): string {
  if (typeof cell !== "object") return escaped(String(cell));
  if (isDifference(cell)) return mathematical(differenceText(cell.difference));
  const { mean, std, count } = digits(cell, column);
  if (mean === "") return "--";
  const best = std === "" ? `\\textbf{${mean}}` : `\\textbf{${mean} $\\pm$ ${std}}`;
  const plain = std === "" ? `$${mean}$` : `$${mean} \\pm ${std}$`;
  return (cell.best ? best : plain) + count;
}

/** With its numbers as mathematics, so that signs are as wide as each other. */
function mathematical(text: string): string {
  return text.replace(/[+−]?\d+\.\d+/g, (number) => `$${number.replace("−", "-")}$`);
}

/** What LaTeX reads as more than the letter itself; before all others a backslash is enough. */
const special: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  "<": "\\textless{}",
  ">": "\\textgreater{}",
  "|": "\\textbar{}",
  '"': "''",
  "±": "$\\pm$",
  "–": "--",
  "−": "$-$",
  "×": "$\\times$",
  "’": "'",
};

/** Text as LaTeX prints it. */
export function escaped(text: string): string {
  return text.replace(/[\\~^<>|"±–−×’&%$#_{}]/g, (letter) => special[letter] ?? `\\${letter}`);
}
