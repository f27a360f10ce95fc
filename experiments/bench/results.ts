import { existsSync, readFileSync } from "node:fs";
import { parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import { InputError } from "../../src/core/errors.ts";
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
  readonly machine: Machine;
  /** Version of Python's torch; none where there is none. */
  readonly peerTorch: string | undefined;
  readonly pairs: number;
}

const MEGABYTE = 1e6;
const inMs = (seconds: number | undefined): number | null => (seconds === undefined ? null : 1000 * seconds);
const inMB = (bytes: number | null | undefined): number | null =>
  bytes === null || bytes === undefined ? null : bytes / MEGABYTE;
const nameOf = ({ case: name, part }: BenchRow): string => `${name} ${part}`.trimEnd();

/** Cells of bench.csv by column, in order; docs/performance.md has their meaning. */
function cellsOf(row: BenchRow) {
  const { peer, tuned } = row.comparisons;
  const { engine, engineDescription, node, processor, cores, commit, date } = row.machine;
  return {
    case: nameOf(row),
    size: row.size,
    engine,
    threads: row.threads,
    oursMs: inMs(row.seconds),
    peerMs: inMs(peer?.seconds),
    tunedMs: inMs(tuned?.seconds),
    ratio: peer?.ratio ?? null,
    ratioLow: peer?.quartiles[0] ?? null,
    ratioHigh: peer?.quartiles[1] ?? null,
    ratioTuned: tuned?.ratio ?? null,
    oursPeakMB: inMB(row.peakBytes),
    peerPeakMB: inMB(peer?.peakBytes),
    tunedPeakMB: inMB(tuned?.peakBytes),
    convolutionShare: row.convolutionShare,
    pairs: row.pairs,
    engineDescription,
    peerTorch: row.peerTorch ?? null,
    node,
    processor,
    cores,
    commit,
    date,
  };
}

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
] as const;

/** Adds rows to a bench.csv, in place of earlier ones of the same case, machine and versions. */
export function recordBench(path: string, rows: readonly BenchRow[]): void {
  if (rows.length === 0) return;
  const fresh = rows.map((row) => texts(cellsOf(row)));
  const columns = Object.keys(fresh[0]!);
  const key = (record: Record<string, string>): string =>
    JSON.stringify(identity.map((name) => record[name]));
  const replaced = new Set(fresh.map(key));
  const earlier = readRecords(path, columns).filter((record) => !replaced.has(key(record)));
  const lines = [...earlier, ...fresh].map((record) => columns.map((column) => record[column]!));
  writeWhole(path, stringify([columns, ...lines]));
}

function readRecords(path: string, columns: readonly string[]): Record<string, string>[] {
  if (!existsSync(path)) return [];
  const records: Record<string, string>[] = parse(readFileSync(path, "utf8"), { columns: true });
  const found = Object.keys(records[0] ?? {});
  if (records.length > 0 && found.join() !== columns.join()) {
    throw new InputError(
      `${path}: expected the columns ${columns.join(", ")}, got ${found.join(", ")}; move it away, or set --out`,
    );
  }
  return records;
}

const texts = (cells: object): Record<string, string> =>
  Object.fromEntries(
    Object.entries(cells).map(([column, value]) => [
      column,
      typeof value === "number" ? String(Number(value.toPrecision(6))) : String(value ?? ""),
    ]),
  );

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
    ourPeakMB: inMB(row.peakBytes),
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
  const compared = rows.filter(({ case: name }) => name !== "spectral" && name !== "memory");
  const parts = [
    comparisonTable(compared),
    spectralTable(rows.filter(({ case: name }) => name === "spectral")),
    memoryTable(rows.filter(({ case: name }) => name === "memory")),
    shareOfSpectrum(rows),
    ...rows.flatMap((row) => row.notes.map((note) => `${nameOf(row)}: ${note}`)),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
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
  const lines = rows.map(({ part, seconds, peakBytes }) => [
    part,
    digits(inMs(seconds)),
    digits(inMB(peakBytes)),
  ]);
  return textTable(["classes", "step of DM, ms", "peak MB"], lines);
}

function shareOfSpectrum(rows: readonly BenchRow[]): string {
  const [dm, csdm] = ["dm", "csdm"].map((name) => rows.find((row) => row.case === name)?.seconds);
  if (dm === undefined || csdm === undefined) return "";
  return `CSDM adds ${digits(100 * (csdm / dm - 1))} % to a step of DM.`;
}
