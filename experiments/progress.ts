import { recentRate } from "./rate.ts";
import { type Screen, standardError } from "./screen.ts";

/** Shows how far long work has come: one line rewritten in place on a terminal, plain lines now and then elsewhere. */
export interface ProgressLine {
  /** Work done so far, in the unit of `total`, and what to say of it. */
  at(done: number, note?: string): void;
  /** Ends the line with what came of the work, and returns the seconds it took. */
  end(note?: string): number;
}

export interface ProgressOptions {
  /**
   * What is counted, in the singular: "step", "epoch". "MB" is a measure: it is written after its number. "share" is
   * work that knows how far it is and counts nothing: `total` is 1.
   */
  readonly unit?: string;
  /** Pieces of the same work that come after it, as the other networks of an evaluation. */
  readonly more?: number;
  /** Work that was done before, e.g. by the run that is resumed. Time left is extrapolated from what is done since. */
  readonly start?: number;
  readonly screen?: Screen;
}

/** Seconds between redraws on a terminal. */
const REDRAW_INTERVAL = 0.1;
/** Cells of the bar. */
const BAR = 16;
/** Silent work that took longer leaves a line on a terminal, in seconds. */
const NOTABLE = 5;

/**
 * @param label what is being done.
 * @param total amount of work; undefined where it is not known, as of a download whose server does not say.
 */
export function progressLine(
  label: string,
  total: number | undefined,
  { unit = "step", start = 0, more = 0, screen = standardError }: ProgressOptions = {},
): ProgressLine {
  const begun = screen.now();
  const rate = recentRate(() => screen.now(), start);
  let drawn = -Infinity;
  const show = (done: number, note: string): void => {
    const seconds = screen.now() - begun;
    const state = { label, total, unit, done, seconds, rate: rate.perSecond(), more, note };
    if (screen.inPlace) {
      if (screen.now() - drawn < REDRAW_INTERVAL) return;
      drawn = screen.now();
      screen.draw(fitted(pieces(state), screen.columns() - 1));
    } else if (screen.due()) {
      screen.print(`${label}: ${plain(state)}`);
    }
  };
  show(start, "");
  return {
    at(done, note = "") {
      rate.mark(done);
      show(done, note);
    },
    end(note = "") {
      const seconds = screen.now() - begun;
      finish(screen, label, [`done in ${duration(seconds)}`, note]);
      return seconds;
    },
  };
}

/**
 * Says that work goes on which cannot tell how far it is, such as reading a data set. A terminal shows the seconds where
 * the work leaves time for it, and keeps a line only of what took long; a log gets a line before, so that a silence is
 * explained, and one after where it took long.
 *
 * @param label what is being done, as in "reading cifar10".
 */
export async function working<T>(
  label: string,
  work: () => T | Promise<T>,
  screen: Screen = standardError,
): Promise<T> {
  const begun = screen.now();
  const show = (): void => {
    const seconds = screen.now() - begun;
    const elapsed: Piece = { text: seconds < 1 ? "…" : `… ${duration(seconds)}`, rank: 0 };
    screen.draw(fitted([{ text: label, rank: 0 }, elapsed], screen.columns() - 1));
  };
  if (screen.inPlace) show();
  else screen.print(`${label} …`);
  const timer = screen.inPlace ? setInterval(show, 1000) : undefined;
  try {
    const result = await work();
    const seconds = screen.now() - begun;
    if (seconds >= NOTABLE) finish(screen, label, [`done in ${duration(seconds)}`]);
    else if (screen.inPlace) screen.draw("");
    return result;
  } finally {
    clearInterval(timer);
  }
}

/** The last state of a line. It is news and is written whole: a row too short for it wraps, and nothing is drawn over. */
function finish(screen: Screen, label: string, parts: readonly string[]): void {
  screen.print(`${label}: ${parts.filter((part) => part !== "").join(", ")}`);
}

interface State {
  readonly label: string;
  readonly total: number | undefined;
  readonly unit: string;
  readonly done: number;
  /** Since the line began. */
  readonly seconds: number;
  /** Units per second; NaN where unknown. */
  readonly rate: number;
  readonly more: number;
  readonly note: string;
}

/** Part of a line. Where the row is too short, those of the highest rank are left out first; rank 0 stays. */
interface Piece {
  readonly text: string;
  readonly rank: number;
}

function pieces(state: State): Piece[] {
  const { label, total, done, seconds, note } = state;
  const share = total === undefined ? NaN : Math.min(1, done / total);
  const filled = Math.floor(BAR * share);
  const percent = `${Math.floor(100 * share)} %`.padStart(5);
  return [
    { text: label, rank: 0 },
    { text: Number.isNaN(share) ? "" : "█".repeat(filled) + "░".repeat(BAR - filled), rank: 7 },
    { text: Number.isNaN(share) ? "" : percent, rank: 0 },
    { text: countText(state), rank: 3 },
    { text: rateText(state), rank: 5 },
    { text: seconds < 1 ? "" : `${duration(seconds)} elapsed`, rank: 6 },
    { text: leftText(state), rank: 1 },
    { text: allLeftText(state), rank: 2 },
    { text: note, rank: 4 },
  ].filter(({ text }) => text !== "");
}

/** Pieces in one row of at most `columns` characters: the less important are left out, the first is cut at last. */
function fitted(all: readonly Piece[], columns: number): string {
  const line = all.map(({ text }) => text).join("  ");
  const { length } = Array.from(line);
  if (length <= columns) return line;
  const rank = Math.max(...all.map((piece) => piece.rank));
  if (rank > 0) {
    return fitted(
      all.filter((piece) => piece.rank < rank),
      columns,
    );
  }
  const [first, ...others] = all;
  const label = Array.from(first!.text);
  const room = label.length - (length - columns) - 1;
  if (room < 1) return Array.from(line).slice(0, Math.max(0, columns)).join("");
  return [`${label.slice(0, room).join("")}…`, ...others.map(({ text }) => text)].join("  ");
}

/** A state for a log: the same words at the same places in every line. */
function plain(state: State): string {
  const { total, done, seconds, note } = state;
  const percent = total === undefined ? "" : `${Math.floor(100 * Math.min(1, done / total))} %`;
  const parts = [
    percent,
    countText(state),
    rateText(state),
    `${duration(seconds)} elapsed`,
    leftText(state),
    allLeftText(state),
    note,
  ];
  return parts.filter((part) => part !== "").join(", ");
}

/** Units that are measured, not counted. */
const measures = new Set(["MB"]);

function countText({ done, total, unit }: State): string {
  if (unit === "share") return "";
  const number = (value: number): string => String(Math.floor(value));
  const count = total === undefined ? number(done) : `${number(done)}/${number(total)}`;
  return measures.has(unit) ? `${count} ${unit}` : `${unit} ${count}`;
}

/** "12.3 step/s", or "1.46 s/step" where that is the larger number. */
function rateText({ rate, unit }: State): string {
  if (!(rate > 0) || unit === "share") return "";
  return rate >= 1 || measures.has(unit) ? `${digits(rate)} ${unit}/s` : `${digits(1 / rate)} s/${unit}`;
}

/** Three digits, without exponent: 0.0146, 1.46, 146, 1460. */
function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

function leftText({ rate, done, total }: State): string {
  if (total === undefined || !(rate > 0)) return "";
  return `${duration(Math.max(0, total - done) / rate)} left`;
}

/** Time left of this piece of work and all that come after it. */
function allLeftText({ rate, done, total, more }: State): string {
  if (total === undefined || !(rate > 0) || more === 0) return "";
  return `${duration((Math.max(0, total - done) + more * total) / rate)} with ${more} more`;
}

/** Seconds as "42 s", "3 min 20 s", "2 h 05 min" or "3 d 04 h". */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  if (whole < 60) return `${seconds < 9.95 ? seconds.toFixed(1) : whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  if (whole < 48 * 3600) return `${Math.floor(whole / 3600)} h ${two((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86400)} d ${two((whole % 86400) / 3600)} h`;
}
