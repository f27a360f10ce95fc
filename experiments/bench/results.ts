import { existsSync, readFileSync } from "node:fs";
import { parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import { check } from "../../src/core/errors.ts";
import { writeWhole } from "../files.ts";
import type { Machine } from "../machine.ts";
import type { Size } from "./benchCase.ts";
import type { Comparison, Measurement } from "./measure.ts";
import { digits, textTable } from "./table.ts";

/** A measurement and what it is of. */
export interface BenchRow extends Measurement {
  readonly case: string;
  /** Which of the case's settings; "" where it has one. */
  readonly part: string;
  readonly size: Size;
  readonly threads: number;
  /** Our process's peak of memory before its first step. */
  readonly loadedBytes: number | null;
  /** What our step has to keep by its method, where that is known. */
  readonly keptBytes?: number | undefined;
  readonly machine: Machine;
  /** Version of Python's torch; none where there is none. */
  readonly peerTorch: string | undefined;
  readonly pairs: number;
}

const MEGABYTE = 1e6;
const inMs = (seconds: number | undefined): number | null => (seconds === undefined ? null : 1000 * seconds);
const inMB = (bytes: number | null | undefined): number | null =>
  bytes === null || bytes === undefined ? null : bytes / MEGABYTE;
const nameOf = ({ case: name, part }: Pick<BenchRow, "case" | "part">): string => `${name} ${part}`.trimEnd();

/** Columns of bench.csv, in order; docs/performance.md has their meaning. */
const columns = {
  case: nameOf,
  size: ({ size }) => size,
  engine: ({ machine }) => machine.engine,
  threads: ({ threads }) => threads,
  oursMs: ({ seconds }) => inMs(seconds),
  peerMs: ({ comparisons }) => inMs(comparisons.peer?.seconds),
  tunedMs: ({ comparisons }) => inMs(comparisons.tuned?.seconds),
  ratio: ({ comparisons }) => comparisons.peer?.ratio,
  ratioLow: ({ comparisons }) => comparisons.peer?.quartiles[0],
  ratioHigh: ({ comparisons }) => comparisons.peer?.quartiles[1],
  ratioTuned: ({ comparisons }) => comparisons.tuned?.ratio,
  oursLoadedMB: ({ loadedBytes }) => inMB(loadedBytes),
  oursPeakMB: ({ peakBytes }) => inMB(peakBytes),
  peerPeakMB: ({ comparisons }) => inMB(comparisons.peer?.peakBytes),
  tunedPeakMB: ({ comparisons }) => inMB(comparisons.tuned?.peakBytes),
  convolutionShare: ({ convolutionShare }) => convolutionShare,
  pairs: ({ pairs }) => pairs,
  engineDescription: ({ machine }) => machine.engineDescription,
  peerTorch: ({ peerTorch }) => peerTorch,
  node: ({ machine }) => machine.node,
  processor: ({ machine }) => machine.processor,
  cores: ({ machine }) => machine.cores,
  commit: ({ machine }) => machine.commit,
  date: ({ machine }) => machine.date,
} as const satisfies Record<string, (row: BenchRow) => string | number | null | undefined>;
type Column = keyof typeof columns;
type Cells = Record<Column, string>;

/** What makes two rows the same measurement: a later one replaces the earlier. */
const identity = [
  "case",
  "size",
  "engine",
  "threads",
  "engineDescription",
  "peerTorch",
  "node",
  "processor",
  "cores",
] as const satisfies readonly Column[];

/**
 * Adds rows to a bench.csv, in place of earlier ones of the same case, machine and versions.
 *
 * @throws InputError if its columns are not those of this version.
 */
export function recordBench(path: string, rows: readonly BenchRow[]): void {
  const fresh = rows.map(cellsOf);
  const key = (cells: Cells): string => JSON.stringify(identity.map((column) => cells[column]));
  const replaced = new Set(fresh.map(key));
  const all = [...readBench(path).filter((cells) => !replaced.has(key(cells))), ...fresh];
  const names = Object.keys(columns) as Column[];
  writeWhole(path, stringify([names, ...all.map((cells) => names.map((name) => cells[name]))]));
}

/**
 * All rows of a bench.csv, as text; none where there is no such file.
 *
 * @throws InputError if its columns are not those of this version.
 */
export function readBench(path: string): Cells[] {
  if (!existsSync(path)) return [];
  const [head = [], ...lines]: string[][] = parse(readFileSync(path, "utf8"));
  const expected = Object.keys(columns);
  check(
    head.join() === expected.join(),
    () =>
      `${path}: expected the columns ${expected.join(", ")}, got ${head.join(", ")}; move it away, or set --out`,
  );
  return lines.map((line) => Object.fromEntries(line.map((cell, i) => [expected[i]!, cell])) as Cells);
}

function cellsOf(row: BenchRow): Cells {
  const text = (value: string | number | null | undefined): string =>
    typeof value === "number" ? String(Number(value.toPrecision(6))) : (value ?? "");
  return Object.fromEntries(Object.entries(columns).map(([column, of]) => [column, text(of(row))])) as Cells;
}

/** Measurements by case, and by part where a case has several. */
export function benchJson(rows: readonly BenchRow[]): Record<string, unknown> {
  const json: Record<string, unknown> = {};
  for (const row of rows) {
    const entry = jsonEntry(row);
    json[row.case] =
      row.part === "" ? entry : { ...(json[row.case] as object | undefined), [row.part]: entry };
  }
  return json;
}

function jsonEntry(row: BenchRow) {
  const { peer, tuned } = row.comparisons;
  const { engine, engineDescription } = row.machine;
  return {
    ratio: peer?.ratio ?? null,
    ratioQuartiles: peer?.quartiles ?? null,
    ratioTuned: tuned?.ratio ?? null,
    ours: inMs(row.seconds),
    peer: inMs(peer?.seconds),
    tuned: inMs(tuned?.seconds),
    ourLoadedMB: inMB(row.loadedBytes),
    ourPeakMB: inMB(row.peakBytes),
    ourKeptMB: inMB(row.keptBytes),
    peerPeakMB: inMB(peer?.peakBytes),
    tunedPeakMB: inMB(tuned?.peakBytes),
    convolutionShare: row.convolutionShare,
    loss: row.loss,
    pairs: row.pairs,
    threads: row.threads,
    engine,
    engineDescription,
    peerTorch: row.peerTorch ?? null,
    notes: row.notes,
  };
}

/** The tables that a terminal shows, and what there is to say beside them. */
export function benchTables(rows: readonly BenchRow[]): string {
  const of = (kind: RowKind): BenchRow[] => rows.filter((row) => kindOf(row) === kind);
  const parts = [
    versions(rows),
    comparisonTable(of("compared")),
    stepsTable(of("steps")),
    spectralTable(of("spectral")),
    memoryTable(of("memory")),
    shareOfSpectrum(rows),
    ...rows.flatMap((row) => row.notes.map((note) => `${nameOf(row)}: ${note}`)),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

/** Which table a row belongs to. */
type RowKind = "compared" | "steps" | "spectral" | "memory";

function kindOf({ case: name }: BenchRow): RowKind {
  if (name === "spectral" || name === "memory") return name;
  return name.startsWith("trajectory-") ? "steps" : "compared";
}

/** What ran against what. */
function versions([first]: readonly BenchRow[]): string {
  if (first === undefined) return "";
  const { machine, peerTorch } = first;
  const peer = peerTorch === undefined ? "no PyTorch" : `PyTorch ${peerTorch}`;
  return `ours: ${machine.engine} (${machine.engineDescription}); against: ${peer}`;
}

function comparisonTable(rows: readonly BenchRow[]): string {
  if (rows.length === 0) return "";
  const head = [
    "case",
    "ours ms",
    "PyTorch ms",
    "ratio [quartiles]",
    "tuned ms",
    "ratio tuned",
    "peak MB",
    "convolution",
  ];
  const lines = rows.map((row) => {
    const { peer, tuned } = row.comparisons;
    return [
      nameOf(row),
      digits(inMs(row.seconds)),
      digits(inMs(peer?.seconds)),
      ratioText(peer),
      digits(inMs(tuned?.seconds)),
      digits(tuned?.ratio),
      [row.peakBytes, peer?.peakBytes].map((bytes) => digits(inMB(bytes)) || "–").join(" / "),
      row.convolutionShare === null ? "" : `${(100 * row.convolutionShare).toFixed(0)} %`,
    ];
  });
  return textTable(head, lines);
}

const ratioText = (comparison: Comparison | undefined): string =>
  comparison === undefined
    ? ""
    : `${digits(comparison.ratio)} [${comparison.quartiles.map(digits).join(", ")}]`;

/** What the gradients of a student of so many steps cost and hold. */
function stepsTable(rows: readonly BenchRow[]): string {
  if (rows.length === 0) return "";
  const head = [
    "gradients",
    "steps",
    "ours ms",
    "PyTorch ms",
    "ratio [quartiles]",
    "tuned ms",
    "ratio tuned",
    "peak over loaded MB",
    "of it parameters MB",
    "PyTorch's peak MB",
  ];
  const lines = rows.map((row) => {
    const { peer, tuned } = row.comparisons;
    const held = row.peakBytes === null ? null : row.peakBytes - (row.loadedBytes ?? 0);
    return [
      row.case.replace("trajectory-", ""),
      row.part,
      digits(inMs(row.seconds)),
      digits(inMs(peer?.seconds)),
      ratioText(peer),
      digits(inMs(tuned?.seconds)),
      digits(tuned?.ratio),
      digits(inMB(held)),
      digits(inMB(row.keptBytes)),
      digits(inMB(peer?.peakBytes)),
    ];
  });
  return textTable(head, lines);
}

/** What a spectral distance costs, which grows with images times frequencies. */
function spectralTable(rows: readonly BenchRow[]): string {
  if (rows.length === 0) return "";
  const lines = rows.map(({ part, seconds }) => {
    const [images, frequencies] = part.split("x").map(Number) as [number, number];
    const each = (1e9 * seconds) / (images * frequencies);
    return [String(images), String(frequencies), digits(inMs(seconds)), digits(each)];
  });
  return textTable(["images", "frequencies", "spectral ms", "ns per image and frequency"], lines);
}

function memoryTable(rows: readonly BenchRow[]): string {
  if (rows.length === 0) return "";
  const lines = rows.map(({ part, seconds, loadedBytes, peakBytes }) => [
    part,
    digits(inMs(seconds)),
    digits(inMB(loadedBytes)),
    digits(inMB(peakBytes)),
  ]);
  return textTable(["classes", "step of DM, ms", "loaded MB", "peak MB"], lines);
}

function shareOfSpectrum(rows: readonly BenchRow[]): string {
  const [dm, csdm] = ["dm", "csdm"].map((name) => rows.find((row) => row.case === name)?.seconds);
  if (dm === undefined || csdm === undefined) return "";
  return `CSDM adds ${digits(100 * (csdm / dm - 1))} % to a step of DM.`;
}
