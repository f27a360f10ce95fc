import { createHash } from "node:crypto";
import { InputError } from "../../src/core/errors.ts";

/** What is to be shown, and whether it has changed. */
export interface LiveSource {
  /** Differs once the page would; see changes.ts. */
  fingerprint(): Promise<string>;
  /** The page as HTML. */
  render(): Promise<string>;
  /** The page where nothing could be read yet, and why. */
  failed(reason: string): string;
}

/** A page as it is now. */
export interface Shown {
  /** Differs between pages that differ. */
  readonly version: string;
  readonly html: string;
  /** Why the page is not the newest: what is wrong in the folder. */
  readonly notice?: string;
}

/** A page that is made again when somebody looks and something has changed. */
export interface LivePage {
  current(): Promise<Shown>;
}

/** Looking for changes and making the page each take at most this share of the time of a core, beside runs that need the machine. */
const SHARE = 0.1;
/** Seconds between looks at the folder, at least. */
const PAUSE = 1;

/**
 * @param source what is shown. Where it fails, because a file is half there or wrong, the page before is kept, with the
 *   reason; the next look tries again.
 * @param now seconds of a clock that never goes back.
 */
export function livePage(source: LiveSource, now = (): number => performance.now() / 1000): LivePage {
  let shown: Shown | undefined;
  let made = "";
  let failures = 0;
  const scanning = paced(now);
  const making = paced(now);

  const make = async (): Promise<void> => {
    try {
      const print = await source.fingerprint();
      if (print === made && failures === 0) return;
      await making(async () => {
        const html = await source.render();
        made = print;
        shown = { version: digest(html), html };
        failures = 0;
      });
    } catch (error) {
      failures++;
      const notice = noticeOf(error as Error, failures);
      const { version, html } = shown ?? { version: "none", html: source.failed((error as Error).message) };
      shown = { version, html, ...(notice !== undefined && { notice }) };
    }
  };
  let underWay: Promise<void> | undefined;
  return {
    async current() {
      underWay ??= scanning(make).finally(() => (underWay = undefined));
      await underWay;
      return shown!;
    },
  };
}

/** Does work now and then: not before what it took the last time is a small share of the time since. */
function paced(now: () => number): (work: () => Promise<void>) => Promise<void> {
  let next = -Infinity;
  return async (work) => {
    const begun = now();
    if (begun < next) return;
    try {
      await work();
    } finally {
      const ended = now();
      next = ended + Math.max(PAUSE, (ended - begun) / SHARE);
    }
  };
}

/** A mistake in the folder in its own words. A file that is half there or just gone is no news until it stays so. */
function noticeOf(error: Error, failures: number): string | undefined {
  if (error instanceof InputError) return error.message;
  return failures > 1 ? `not readable just now: ${error.message}` : undefined;
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}
