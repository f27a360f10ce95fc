import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Engine } from "../src/engines/index.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** The package's own file; in what is installed from npm it states the commit, since a checkout around it is another's. */
const packaged = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly version: string;
  readonly commit?: string;
};

/** What a result depends on beside its config: kept with every run. */
export interface Machine {
  readonly distillery: string;
  readonly commit: string;
  readonly engine: string;
  readonly engineDescription: string;
  readonly node: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly date: string;
}

export function machine(engine: Pick<Engine, "name" | "description">): Machine {
  return {
    distillery: packaged.version,
    commit,
    engine: engine.name,
    engineDescription: engine.description,
    node: process.version,
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    date: new Date().toISOString(),
  };
}

/** Largest resident memory of this process so far, in megabytes of 10⁶ bytes. */
export function peakMegabytes(): number {
  return (process.resourceUsage().maxRSS * 1024) / 1e6;
}

/**
 * Short hash of the checked-out commit when the program started, or of the one that the package was made from, with "+"
 * where files differ from it; "unknown" outside of both.
 */
export const commit = packaged.commit ?? checkedOut();

function checkedOut(): string {
  const git = (...args: string[]): string =>
    execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  const code = ["src", "kernels", "native", "experiments"];
  try {
    const changed = git("status", "--porcelain", "--untracked-files=no", "--", ...code);
    return git("rev-parse", "--short=10", "HEAD") + (changed === "" ? "" : "+");
  } catch {
    return "unknown";
  }
}
