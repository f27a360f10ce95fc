/** One cell: where it stands, and what is written in it. */
export interface MatrixCell {
  readonly row: string;
  readonly column: string;
  /** The higher, the more color. */
  readonly mean: number;
  /** Written large, and below it small. */
  readonly number: string;
  readonly spread: string;
  /** Whether a frame is drawn around it. */
  readonly framed: boolean;
  /** All of it in words. */
  readonly text: string;
}

export interface Matrix {
  readonly rows: { readonly names: readonly string[]; readonly title: string | null };
  readonly columns: {
    readonly names: readonly string[];
    readonly title: string;
    /** Whether names are written slantwise. */
    readonly slanted: boolean;
  };
  /** Lowest and highest mean. */
  readonly range: readonly [number, number];
}

/** Pixels of a row, and of what stands above all rows. */
const [ROW, HEAD] = [34, 62];
/** Letters of all columns' names that fit side by side; more are written slantwise, which takes more room. */
const [LETTERS, SLANT] = [30, 34];

/** Whether names are too long to stand side by side. */
export function isSlanted(names: readonly string[]): boolean {
  return names.join("").length > LETTERS;
}

/** Height of a matrix's drawing in pixels. */
export function matrixHeight({ rows, columns }: Matrix): number {
  return HEAD + ROW * rows.names.length + (columns.slanted ? SLANT : 0);
}

/** Colored cells, the more color the higher, and their numbers. */
export function matrixLayers(
  name: string,
  values: readonly MatrixCell[],
  { rows, columns, range }: Matrix,
): object[] {
  const nominal = (field: string, domain: readonly string[], axis: object): object => ({
    field,
    type: "nominal",
    sort: null,
    scale: { domain: [...domain], paddingInner: 0.06, paddingOuter: 0.03 },
    axis: { domain: false, grid: false, ...axis },
  });
  const place = {
    x: nominal("column", columns.names, {
      orient: "top",
      title: columns.title,
      labelAngle: columns.slanted ? -30 : 0,
      labelLimit: 120,
    }),
    y: nominal("row", rows.names, { title: rows.title, labelLimit: 180 }),
  };
  const layer = (part: string, mark: object, encoding: object): object => ({
    name: `${name}_${part}`,
    data: { values },
    mark: { aria: false, ...mark },
    encoding: { ...place, ...encoding },
  });
  const number = (part: string, size: number, dy: number): object =>
    layer(part, { type: "text", fontSize: size, dy, color: "var(--ink)" }, { text: { field: part } });
  return [
    layer(
      "cell",
      { type: "rect", color: "var(--s1)", stroke: "var(--ink)", cornerRadius: 3, aria: true },
      {
        fillOpacity: {
          field: "mean",
          type: "quantitative",
          scale: { domain: [...range], range: [0.06, 0.5] },
          legend: null,
        },
        strokeWidth: { condition: { test: "datum.framed", value: 1.5 }, value: 0 },
        description: { field: "text" },
      },
    ),
    number("number", 12, -6),
    number("spread", 10, 7),
  ];
}
