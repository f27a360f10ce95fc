import { z } from "zod";
import { unwrapped } from "../../src/core/parse.ts";
import { type Experiment, experimentSchema } from "../config.ts";

/**
 * What decides the time and memory of an experiment's steps and epochs, as text: two of the same text cost the same. Names,
 * choices and whole numbers count, as a width or a count of frequencies. Real numbers do not, as α, a kernel's scale or a
 * learning rate: they change values, not sizes. Of the data every number counts, since it may say how many images there are.
 */
export function costKind(experiment: Experiment): string {
  const leaves = leavesOf(experimentSchema, experiment, "").filter(([path]) => !ignored.test(path));
  return leaves.map(([path, value]) => `${path}=${String(value)}`).join(";");
}

/** Seeds, where files lie, and what only multiplies a measured time. */
const ignored = /^(steps|seeds|engine|checkpointEvery|evaluation\.networks|data\.root)\b|seed$/i;

type Leaf = readonly [path: string, value: unknown];

function leavesOf(schema: z.core.$ZodType, value: unknown, path: string): Leaf[] {
  if (value === undefined) return [];
  const inner = unwrapped(schema);
  const inside = (key: string): string => (path === "" ? key : `${path}.${key}`);
  if (inner instanceof z.ZodDiscriminatedUnion) {
    const { name } = value as { readonly name: string };
    const entry = (inner.options as z.ZodObject[]).find((option) => option.safeParse(value).success);
    return entry ? leavesOf(entry, value, path) : [[inside("name"), name]];
  }
  if (inner instanceof z.ZodObject) {
    const given = value as Readonly<Record<string, unknown>>;
    return Object.entries(inner.shape as Record<string, z.ZodType>).flatMap(([key, child]) =>
      leavesOf(child, given[key], inside(key)),
    );
  }
  if (inner instanceof z.ZodArray) {
    return (value as unknown[]).flatMap((child, i) => leavesOf(inner.element, child, inside(String(i))));
  }
  const isReal = inner instanceof z.ZodNumber && !inner.format?.includes("int");
  return isReal && !path.startsWith("data.") ? [] : [[path, JSON.stringify(value)]];
}
