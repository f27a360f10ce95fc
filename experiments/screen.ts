/** Where progress is shown: a terminal that rewrites one line in place, or a log of plain lines. */
export interface Screen {
  /** Whether a line can be rewritten in place. */
  readonly inPlace: boolean;
  /** Characters of a row, as wide as the terminal is now. */
  columns(): number;
  /** Draws a row in place of the one drawn before; only where `inPlace`. */
  draw(row: string): void;
  /** Writes a line, in place of the row drawn before. */
  print(line: string): void;
  /** Leaves the row drawn last as it is, where work breaks off: what is written next begins a line of its own. */
  leave(): void;
  /** Seconds of a clock that never goes back. */
  now(): number;
  /** Whether the next plain line may be written. A yes starts the wait for the one after it. */
  due(): boolean;
}

/** What a screen needs of a stream such as `process.stderr`. */
export interface ScreenStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface ScreenOptions {
  /** Seconds of a clock that never goes back. */
  readonly now?: () => number;
  /** Of these, TERM counts: a dumb terminal cannot go back in a line. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** Columns of a terminal that does not say. */
const COLUMNS = 80;
/** Erases from the cursor to the end of the row. */
const TO_THE_END = "\x1b[K";

/**
 * Seconds between plain lines, by the age of the log in seconds: often while somebody may be looking, seldom where hours
 * of work would fill the file. The age is that of the whole log, not of one piece of work, or a hundred short pieces
 * would each start afresh.
 */
function plainInterval(age: number): number {
  if (age < 60) return 15;
  return age < 600 ? 60 : 300;
}

/** The screen of a stream. It has no colors, so that NO_COLOR and a log have nothing to take out. */
export function screenOf(
  stream: ScreenStream,
  { now = () => performance.now() / 1000, environment = process.env }: ScreenOptions = {},
): Screen {
  let first = NaN;
  let latest = NaN;
  let drawn = false;
  const replaced = (text: string): string => (drawn ? `\r${text}${TO_THE_END}` : text);
  return {
    inPlace: stream.isTTY === true && environment.TERM !== "dumb",
    columns: () => stream.columns || COLUMNS,
    draw(row) {
      stream.write(replaced(row));
      drawn = row !== "";
    },
    print(line) {
      stream.write(`${replaced(line)}\n`);
      drawn = false;
    },
    leave() {
      if (drawn) stream.write("\n");
      drawn = false;
    },
    now,
    due() {
      const time = now();
      if (Number.isNaN(first)) first = latest = time;
      else if (time - latest < plainInterval(latest - first)) return false;
      latest = time;
      return true;
    },
  };
}

/** The program's standard error: progress goes there, results go to standard output. */
export const standardError = screenOf(process.stderr);
