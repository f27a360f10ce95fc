import type { Experiment } from "./config.ts";

/** The leaves of a config by their dotted paths. */
export function leavesOf(tree: unknown, path = ""): Map<string, string> {
  if (typeof tree !== "object" || tree === null) return new Map([[path, String(tree)]]);
  const inside = (key: string): string => (path === "" ? key : `${path}.${key}`);
  return new Map(Object.entries(tree).flatMap(([key, child]) => [...leavesOf(child, inside(key))]));
}

/**
 * All that makes the images and has no column of its own in runs.csv, as one line: the leaves of the config in
 * alphabetical order, as in `objective.frequencies=1024;objective.kernel.name=gaussian`. Plugins go by their names.
 */
export function optionsText(experiment: Experiment): string {
  const { data, objective, plugins, initialization, pool, scarcity, zca } = experiment;
  const { optimizer, stepping, schedule, range, augmentation } = experiment;
  const ofPlugins = Object.fromEntries(plugins.map(({ name, ...options }) => [name, options]));
  const updates = { optimizer, stepping, schedule, range };
  const learned = objective && { objective, plugins: ofPlugins, ...updates, augmentation };
  return inOneLine(
    [...leavesOf({ data, initialization, pool, scarcity, zca, ...learned })].filter(
      ([path, value]) => value !== "undefined" && !columns.includes(path),
    ),
  );
}

function inOneLine(leaves: readonly (readonly [path: string, value: string])[]): string {
  return [...leaves]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, value]) => `${path}=${/[;="]/.test(value) ? JSON.stringify(value) : value}`)
    .join(";");
}

/** Leaves that have a column, and where the data lie. */
const columns = ["data.name", "data.root", "data.imbalance", "objective.name"];

/** The options that `optionsText` wrote, by path. */
export function parseOptions(text: string): Map<string, string> {
  const pattern = /([^=;]+)=("(?:[^"\\]|\\.)*"|[^;]*)(?:;|$)/g;
  return new Map(
    [...text.matchAll(pattern)].map(([, path, value]) => [
      path!,
      value!.startsWith('"') ? (JSON.parse(value!) as string) : value!,
    ]),
  );
}

/** Options that earlier versions did not have, and what these versions did. */
const once = { zca: "false" };
/** What an option was called. */
const renamed: Readonly<Partial<Record<string, string>>> = { initialization: "initialization.name" };
/** The same of updates, told where something is learned. */
const onceOfUpdates = { stepping: "joint", "schedule.name": "constant", range: "free" };

/**
 * The text of options as this version writes it: where an option did not exist yet, it is there with what was done then.
 * No text stays as it is: nothing is known of such a set.
 */
export function completedOptions(text: string): string {
  const written = parseOptions(text);
  if (written.size === 0) return text;
  const known = new Map([...written].map(([path, value]) => [renamed[path] ?? path, value]));
  const expected = { ...once, ...(known.has("optimizer.name") && onceOfUpdates) };
  const missing = Object.entries(expected).filter(([path]) => !known.has(path));
  const isNew = missing.length === 0 && [...known.keys()].every((path) => written.has(path));
  return isNew ? text : inOneLine([...known, ...missing]);
}
