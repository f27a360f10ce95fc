import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import { check, InputError, nearest } from "../src/core/errors.ts";
import { choice } from "../src/core/options.ts";
import { scarcityPolicies } from "../src/coresets/random.ts";
import { parseStrategy } from "../src/datasets/augment.ts";
import { initializations } from "../src/distillers/initialize.ts";
import { protocols } from "../src/evaluation/protocols.ts";
import { networks } from "../src/networks/index.ts";
import { methods } from "../src/objectives/index.ts";
import { optimizers } from "../src/optimizers/index.ts";
import { plugins } from "../src/plugins/index.ts";
import { datasetOptions } from "./data/load.ts";

const names = <T extends object>(table: T): [keyof T & string, ...(keyof T & string)[]] =>
  Object.keys(table) as [keyof T & string, ...(keyof T & string)[]];

export const experimentSchema = z.strictObject({
  data: datasetOptions.describe("Data set and its options"),
  imagesPerClass: z.int().min(1).max(10_000).default(10).describe("Synthetic images of each class"),
  network: choice(networks, { name: "convNet" }).describe("Architecture that matching draws from"),
  objective: choice(methods).optional().describe("Method; without one the initial images are the result"),
  plugins: z.array(choice(plugins)).default([]).describe("Wrapped around the objective, first innermost"),
  initialization: z.enum(names(initializations)).default("random").describe("Synthetic images at step 0"),
  scarcity: z
    .enum(scarcityPolicies)
    .default("duplicate")
    .describe("Where a class has fewer real images than imagesPerClass: repeat them, or stop with an error"),
  augmentation: z
    .string()
    .superRefine((strategy, context) => {
      try {
        parseStrategy(strategy);
      } catch (error) {
        context.addIssue((error as InputError).message.replace(/^augmentation: /, ""));
      }
    })
    .optional()
    .describe("Siamese augmentation, as in color_crop_flip, or none; by default all that suits the data set"),
  optimizer: choice(optimizers, { name: "sgd", learningRate: 1, momentum: 0.5 }).describe(
    "Optimizer of the images",
  ),
  steps: z.int().min(0).describe("Updates of the images"),
  checkpointEvery: z.int().min(1).default(100).describe("Steps between checkpoints"),
  evaluation: z
    .strictObject({
      protocol: z.enum(names(protocols)).default("dm-1000").describe("How evaluation networks are trained"),
      networks: z.int().min(1).default(5).describe("Fresh networks trained on each synthetic set"),
      network: choice(networks).optional().describe("Their architecture; by default that of the matching"),
    })
    .prefault({})
    .describe("How the result is judged"),
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
 * Reads an experiment from a YAML file, with overrides `a.b=value` applied after it.
 *
 * @throws InputError for a file that is missing or no YAML, a duplicate or unknown key (with the nearest known one), a
 *   value of the wrong type or out of range, and an override whose form or path is wrong.
 */
export function readExperiment(path: string, overrides: readonly string[] = []): Experiment {
  return resolveExperiment(basename(path).replace(/\.ya?ml$/, ""), parseYaml(path), overrides, path);
}

/** The experiment that a parsed config describes. */
export function resolveExperiment(
  name: string,
  config: unknown,
  overrides: readonly string[] = [],
  where = name,
): Experiment {
  const parsed = experimentSchema.safeParse(overrides.reduce(applyOverride, config), { reportInput: true });
  if (!parsed.success) throw new InputError(`${where}: ${parsed.error.issues.map(explain).join("; ")}`);
  const { objective, steps, plugins: wrapped } = parsed.data;
  check(
    objective !== undefined || (steps === 0 && wrapped.length === 0),
    () =>
      `${where}: expected an objective for ${steps} steps and ${wrapped.length} plugins, got none; ` +
      "name one, or set steps to 0 and leave the plugins out for the initial images",
  );
  return { ...parsed.data, name };
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
    throw new InputError(
      `${path}: expected a config file, found none; the ones that come along are in configs/`,
    );
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

/** `a.b=value` set in a copy of the config; the value is read as YAML, so numbers and lists keep their type. */
export function applyOverride(config: unknown, override: string): unknown {
  const separator = override.indexOf("=");
  if (separator < 1) {
    throw new InputError(
      `override: expected key=value, as in data.root=DIR, got ${JSON.stringify(override)}`,
    );
  }
  const value = valueOf(override.slice(separator + 1), () => `override ${override}`);
  return setAt(config, override.slice(0, separator).split("."), value);
}

function setAt(tree: unknown, path: readonly string[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (Array.isArray(tree)) {
    check(
      /^\d+$/.test(key) && Number(key) < tree.length,
      () => `override: expected a place from 0 to ${tree.length - 1} in the list, got ${key}`,
    );
    return tree.map((child: unknown, i) => (String(i) === key ? setAt(child, rest, value) : child));
  }
  // A bare name, as in `objective: dm`, becomes { name: dm } when one of its options is set.
  const record = typeof tree === "string" ? { name: tree } : ((tree ?? {}) as Record<string, unknown>);
  return { ...record, [key]: setAt(record[key as keyof typeof record], rest, value) };
}

function explain(issue: z.core.$ZodIssue): string {
  const at = issue.path.map(String).join(".");
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(experimentSchema, issue.path, issue.input);
    const paths = issue.keys.map(
      (key) => `${at === "" ? key : `${at}.${key}`}: unknown option; ${hint(key, known)}`,
    );
    return paths.join("; ");
  }
  const got = issue.input === undefined ? "nothing" : JSON.stringify(issue.input);
  if (issue.code === "invalid_union" && "options" in issue) {
    const given = (issue.input as Record<string, unknown> | undefined)?.name;
    return `${at}: ${given === undefined ? "expected a name, got none" : `unknown name ${JSON.stringify(given)}`}; ${hint(String(given), (issue.options as unknown[]).map(String))}`;
  }
  return `${at === "" ? "config" : at}: ${issue.message.replace(/^Invalid input: |, received .*$/g, "")}, got ${got}`;
}

function hint(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  return near === undefined ? `expected one of ${known.join(", ")}` : `did you mean ${near}?`;
}

/** Keys that the schema allows at a path; where a choice is, those of the entry that `input` names. */
function knownKeys(schema: z.core.$ZodType, path: readonly PropertyKey[], input: unknown): string[] {
  const inner = unwrapped(schema);
  const branches = inner instanceof z.ZodDiscriminatedUnion ? (inner.options as z.ZodObject[]) : [inner];
  const objects = branches.filter((branch) => branch instanceof z.ZodObject);
  const [key, ...rest] = path;
  if (key === undefined) {
    const name = (input as Record<string, unknown> | undefined)?.name;
    const chosen = objects.filter((object) => {
      const tag: unknown = object.shape.name;
      return !(tag instanceof z.ZodLiteral) || tag.value === name;
    });
    return chosen.flatMap((object) => Object.keys(object.shape));
  }
  if (inner instanceof z.ZodArray) return knownKeys(inner.element, rest, input);
  return objects.flatMap((object) => {
    const child = object.shape[String(key)] as z.core.$ZodType | undefined;
    return child === undefined ? [] : knownKeys(child, rest, input);
  });
}

/** The schema behind defaults, optional marks and preprocessing. */
function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return unwrapped(schema.def.innerType);
  }
  return schema instanceof z.ZodPipe ? unwrapped(schema.def.out) : schema;
}
