import { existsSync, statSync } from "node:fs";
import { once } from "node:events";
import { check } from "../../src/core/errors.ts";
import { chartsOf } from "../report/charts/index.ts";
import { drawnCharts } from "../report/page/drawnCharts.ts";
import { nothing } from "../report/page/pageData.ts";
import { renderPage } from "../report/page/page.ts";
import { readResults, reportData } from "../report/reportData.ts";
import { fingerprint } from "../watch/changes.ts";
import { livePage } from "../watch/livePage.ts";
import { pace } from "../watch/pace.ts";
import { serve, type Watching } from "../watch/server.ts";

export interface WatchOptions {
  /** Name or address to listen at; by default this machine alone can reach the page. */
  readonly host?: string | undefined;
  /** By default 8765, or the next that is free. */
  readonly port?: number | undefined;
  /** What other methods are held against in paired comparisons: a method or an experiment. */
  readonly baseline?: string | undefined;
}

/** The port that is tried first. */
const PORT = 8765;

/**
 * Serves the report of a results folder as a page that refreshes itself while runs go on. Nothing is written.
 *
 * @throws InputError if the folder is a file, or the port or address cannot be had.
 */
export async function watchResults(
  results: string,
  { host, port, baseline }: WatchOptions = {},
): Promise<Watching> {
  check(
    !existsSync(results) || statSync(results).isDirectory(),
    () => `${results}: expected a results folder, got a file; name the folder that it lies in`,
  );
  const withTime = pace();
  const page = livePage({
    fingerprint: () => fingerprint(results),
    async render() {
      const data = await reportData(readResults(results), baseline);
      const charts = await drawnCharts(chartsOf(data));
      return renderPage({ ...data, unfinished: data.unfinished.map(withTime) }, charts, { live: true });
    },
    failed: (reason) => renderPage({ ...nothing, unreadable: [reason] }, [], { live: true }),
  });
  return await serve(page, { host: host ?? "127.0.0.1", port: port ?? PORT, next: port === undefined });
}

/** Serves until Ctrl-C or a scheduler ends it. */
export async function watchCommand(
  results: string,
  options: WatchOptions,
  print: (line: string) => void,
): Promise<void> {
  const watching = await watchResults(results, options);
  print(
    `${results}${existsSync(results) ? "" : ", which is not there yet,"} can be watched at ${watching.url}`,
  );
  const { port } = new URL(watching.url);
  if (process.env.SSH_CONNECTION !== undefined) {
    print(
      `from another machine: ssh -N -L ${port}:127.0.0.1:${port} THIS_MACHINE, then the same address there`,
    );
  }
  print("Ctrl-C ends it; runs go on without it");
  await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  await watching.close();
}
