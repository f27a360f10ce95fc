import { existsSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { InputError } from "../../src/core/errors.ts";
import { seeded } from "../../src/core/rng.ts";
import { type Engine, selectEngine } from "../../src/engines/index.ts";
import { loadAddon } from "../../src/engines/torch/addon.ts";
import { readNpz } from "../../src/formats/npz.ts";
import { BENCH_SEED, type Outcome, type Program, type Setting } from "./benchCase.ts";
import { benchCaseNamed } from "./cases/index.ts";

/** The first line to a worker: what it measures. */
export interface Job {
  readonly case: string;
  readonly setting: Setting;
  /** The case's arrays, npz. */
  readonly file: string;
  readonly threads: number;
  /** Name of our engine. */
  readonly engine: string;
}

/** Every further line, and what is answered. */
export type Answers = {
  /** The numbers to compare. */
  readonly check: Outcome;
  readonly time: Timing;
  /** Most memory that the process has held; null where the system does not tell. */
  readonly peak: { readonly bytes: number | null };
};

/** A timed run. */
export interface Timing {
  /** Of one call. */
  readonly seconds: number;
  /** Share of the time spent in convolutions, where it is known. */
  readonly convolutionShare?: number;
}

/** What a worker says when it is ready. */
export interface Hello {
  readonly engine: Pick<Engine, "name" | "description">;
  /** Most memory that it took to come so far: libraries and what the case starts from. */
  readonly loadedBytes: number | null;
}

/** Answers requests, one line of JSON for each, until the input ends. */
export async function serve(input: Readable): Promise<void> {
  const answer = (message: object): void => void process.stdout.write(`${JSON.stringify(message)}\n`);
  let answers: { [Ask in keyof Answers]: () => Answers[Ask] } | undefined;
  for await (const line of createInterface({ input })) {
    try {
      const request: unknown = JSON.parse(line);
      if (answers) answer(answers[(request as { ask: keyof Answers }).ask]());
      else {
        const begun = await begin(request as Job);
        answers = begun.answers;
        answer(begun.hello);
      }
    } catch (error) {
      const { message, stack } = error as Error;
      answer(error instanceof InputError ? { error: message, input: true } : { error: stack ?? message });
    }
  }
}

async function begin({ case: name, setting, file, threads, engine: asked }: Job) {
  const { engine } = await selectEngine(asked, { threads });
  const rng = seeded(BENCH_SEED).stream(name);
  const program = benchCaseNamed(name).program({ engine, setting, arrays: readNpz(readFileSync(file)), rng });
  const hello: Hello = {
    engine: { name: engine.name, description: engine.description },
    loadedBytes: peakBytes(),
  };
  return {
    hello,
    answers: {
      check: () => engine.scope(() => program.outcome(program.run())),
      time: () => engine.scope(() => timed(engine, program, setting.calls ?? 1)),
      peak: () => ({ bytes: peakBytes() }),
    },
  };
}

function timed(engine: Engine, program: Program, calls: number): Timing {
  const inConvolutions = engine.name === "torch-cpu" ? () => loadAddon().convolutionSeconds() : undefined;
  const before = inConvolutions?.() ?? 0;
  const begun = performance.now();
  program.run();
  const seconds = (performance.now() - begun) / 1000;
  return {
    seconds: seconds / calls,
    ...(inConvolutions && { convolutionShare: (inConvolutions() - before) / seconds }),
  };
}

/** Linux's high-water mark of resident memory. */
function peakBytes(): number | null {
  const status = "/proc/self/status";
  if (!existsSync(status)) return null;
  return 1024 * Number(/^VmHWM:\s*(\d+) kB/m.exec(readFileSync(status, "utf8"))![1]);
}
