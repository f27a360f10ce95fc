import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import { check, InputError } from "../src/core/errors.ts";
import { parsed } from "../src/core/parse.ts";
import {
  checkOptions,
  distillationOptions,
  evaluationOptions,
  withRunDefaults,
} from "../src/runs/options.ts";
import { trackingOptions } from "../src/runs/tracking.ts";
import { configFile } from "./configFile.ts";
import { datasetOptions } from "./data/load.ts";
import { poolOption } from "./pool.ts";

export const experimentSchema = z.strictObject({
  data: datasetOptions.describe("Data set and its options"),
  ...distillationOptions.shape,
  pool: poolOption
    .optional()
    .describe("Images that the initialization chooses from; by default the real training images"),
  checkpointEvery: z.int().min(1).default(100).describe("Steps between checkpoints"),
  tracking: trackingOptions
    .optional()
    .describe("Logs how difficult the synthetic images are along the steps; the images stay the same"),
  evaluation: evaluationOptions.prefault({}).describe("How the result is judged"),
  seeds: z
    .array(z.int().min(0))
    .min(1)
    .refine((seeds) => new Set(seeds).size === seeds.length, "expected each seed once")
    .default([0])
    .describe("One run each"),
  engine: z.string().default("auto").describe("auto, torch or tfjs"),
});

/** An experiment with every option resolved. */
export type Experiment = z.infer<typeof experimentSchema> & {
  /** The config's file name without extension: names the results. */
  readonly name: string;
};

/**
 * Reads an experiment from a YAML file, or from the config that comes along under this name, with overrides `a.b=value` applied after it.
 *
 * @throws InputError for a file that is missing or no YAML, a duplicate or unknown key (with the nearest known one), a
 *   value of the wrong type or out of range, and an override whose form or path is wrong.
 */
export function readExperiment(path: string, overrides: readonly string[] = []): Experiment {
  const name = basename(path).replace(/\.ya?ml$/, "");
  return resolveExperiment(name, parseYaml(configFile(path)), overrides, path);
}

/** The experiment that a parsed config describes. */
export function resolveExperiment(
  name: string,
  config: unknown,
  overrides: readonly string[] = [],
  where = name,
): Experiment {
  const options = parsed(
    where,
    experimentSchema,
    withRunDefaults(withEvaluationNetwork(overrides.reduce(applyOverride, config))),
  );
  checkOptions(where, options);
  checkPoolOption(where, options);
  return { ...options, name };
}

/** @throws InputError for a pool that nothing could be chosen from, or by nothing. */
function checkPoolOption(
  where: string,
  { pool, zca, initialization }: z.output<typeof experimentSchema>,
): void {
  check(
    pool === undefined || !zca,
    () =>
      `${where}.pool: expected none beside zca, got ${pool!.name}; its images are pixels, not in the space of whitened ` +
      "images. Leave out one of them",
  );
  check(
    pool === undefined || initialization.name !== "noise",
    () =>
      `${where}.pool: expected an initialization that chooses images, as random or difficultyGuided, got noise; ` +
      "leave out one of them",
  );
}

/** Options of the evaluation network that come without a name change those of the matching network. */
function withEvaluationNetwork(config: unknown): unknown {
  const { network = {}, evaluation } = (config ?? {}) as Partial<Record<string, unknown>>;
  const changed = (evaluation as { network?: unknown } | undefined)?.network;
  if (typeof changed !== "object" || changed === null || "name" in changed) return config;
  const matching = typeof network === "string" ? { name: network } : network;
  return {
    ...(config as object),
    evaluation: {
      ...(evaluation as object),
      network: { name: "convNet", ...(matching as object), ...changed },
    },
  };
}

/**
 * The content of a YAML file.
 *
 * @throws InputError for a file that is missing, no YAML, or has a key twice, with line and column.
 */
export function parseYaml(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    throw new InputError(`${path}: expected a config file, found none`);
  }
  return valueOf(text, (line, column) => `${path}:${line}:${column}`);
}

function valueOf(text: string, where: (line: number, column: number) => string): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const error = document.errors[0];
  if (error) {
    const { line, col } = lines.linePos(error.pos[0]);
    throw new InputError(`${where(line, col)}: ${error.message}`);
  }
  try {
    return document.toJS();
  } catch (unresolved) {
    throw new InputError(`${where(1, 1)}: ${(unresolved as Error).message}`);
  }
}

/**
 * `a.b=value` set in a copy of the config; the value is read as YAML, so numbers and lists keep their type. `a.b=null`
 * takes the option out, so that it has its default.
 */
export function applyOverride(config: unknown, override: string): unknown {
  const [path, value] = parseOverride(override);
  return withOption(config, path, value);
}

/** The path and the value of `a.b=value`. */
export function parseOverride(override: string): [path: string, value: unknown] {
  const separator = override.indexOf("=");
  if (separator < 1) {
    throw new InputError(
      `override: expected key=value, as in data.root=DIR, got ${JSON.stringify(override)}`,
    );
  }
  const value = valueOf(override.slice(separator + 1), () => `override ${override}`);
  return [override.slice(0, separator), value];
}

/** A copy of the config with a value at a dotted path; null takes out what is there. */
export function withOption(config: unknown, path: string, value: unknown): unknown {
  return setAt(config, path.split("."), value);
}

function setAt(tree: unknown, path: readonly string[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return withoutNulls(value);
  if (value === null && tree === undefined) return undefined;
  const removes = rest.length === 0 && value === null;
  if (Array.isArray(tree)) {
    check(
      /^\d+$/.test(key) && Number(key) < tree.length,
      () => `override: expected a place from 0 to ${tree.length - 1} in the list, got ${key}`,
    );
    if (removes) return tree.filter((_, i) => String(i) !== key);
    return tree.map((child: unknown, i) => (String(i) === key ? setAt(child, rest, value) : child));
  }
  // A bare name, as in `objective: dm`, becomes { name: dm } when one of its options is set.
  const record = typeof tree === "string" ? { name: tree } : ((tree ?? {}) as Record<string, unknown>);
  const { [key]: child, ...others } = record;
  return removes ? others : { ...record, [key]: setAt(child, rest, value) };
}

/** What an option is set to, without the options inside that are null. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== "object" || value === null) return value;
  const given = Object.entries(value).filter(([, child]) => child !== null);
  return Object.fromEntries(given.map(([key, child]) => [key, withoutNulls(child)]));
}
