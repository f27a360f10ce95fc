import { z } from "zod";
import { withRunDefaults } from "../../src/runs/options.ts";
import { experimentSchema } from "../config.ts";

/**
 * Every option of a config as lines of text: path, default, and what it is; those of a choice under each name. What was
 * listed before under another option is referred to.
 */
export function optionLines(schema: z.ZodType = experimentSchema): string[] {
  return linesOf(schema, { path: "", indent: "", listed: new Map() });
}

/** Where in the list an option stands. */
interface Place {
  /** As in "objective.csdm.kernel". */
  readonly path: string;
  readonly indent: string;
  /** Paths of the blocks that are in the list, by their text. */
  readonly listed: Map<string, string>;
}

function linesOf(schema: z.core.$ZodType, place: Place): string[] {
  const { inner } = peeled(schema);
  if (inner instanceof z.ZodArray) return linesOf(inner.element as z.core.$ZodType, place);
  if (inner instanceof z.ZodDiscriminatedUnion) {
    return (inner.options as z.ZodObject[]).flatMap((entry) => {
      const name = (entry.shape.name as z.ZodLiteral<string>).value;
      const line = `${place.indent}- ${name}${place.path === "objective" ? runText(name) : ""}`;
      return [line, ...linesOf(entry, within(place, name, "    "))];
    });
  }
  if (!(inner instanceof z.ZodObject)) return [];
  return Object.entries(inner.shape as Record<string, z.ZodType>)
    .filter(([, option]) => !(option instanceof z.ZodLiteral))
    .flatMap(([key, option]) => [
      lineOf(key, option, place.indent),
      ...blockOf(option, within(place, key, "  ")),
    ]);
}

/** What else of a run a method has defaults of its own for. */
function runText(name: string): string {
  const brought = Object.entries(withRunDefaults({ objective: name }) as object);
  const texts = brought
    .filter(([key]) => key !== "objective")
    .map(([key, value]) => `${key} ${valueText(value)}`);
  return texts.length === 0 ? "" : `, by default with ${texts.join(", ")}`;
}

function valueText(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  const { name, ...others } = value as Record<string, unknown>;
  return `${String(name)} (${Object.entries(others)
    .map(([key, one]) => `${key} ${String(one)}`)
    .join(", ")})`;
}

const within = ({ path, indent, listed }: Place, key: string, deeper: string): Place => ({
  path: path === "" ? key : `${path}.${key}`,
  indent: indent + deeper,
  listed,
});

/** A block of fewer lines is repeated. */
const SHORT = 4;

/** The options within one; or where they are, if the same were listed before. */
function blockOf(option: z.ZodType, place: Place): string[] {
  // By itself, so that the text does not depend on what was listed before.
  const alone = linesOf(option, { path: "", indent: "", listed: new Map() });
  const text = alone.length < SHORT ? "" : alone.join("\n");
  const before = place.listed.get(text);
  if (before !== undefined) return [`${place.indent}- as in ${before}`];
  const lines = linesOf(option, place);
  if (text !== "") place.listed.set(text, place.path);
  return lines;
}

function lineOf(key: string, option: z.ZodType, indent: string): string {
  const { inner, description } = peeled(option);
  const choices = inner instanceof z.ZodEnum ? ` (${inner.options.join(", ")})` : "";
  const value = presetOf(option);
  return (
    `${indent}${key}${value}`.padEnd(34) + (description === undefined ? "" : ` ${description}${choices}`)
  );
}

/** " = VALUE", of a choice its name; empty where there is no default. */
function presetOf(option: z.ZodType): string {
  const { data: preset } = option.safeParse(undefined);
  if (preset === undefined) return "";
  if (typeof preset !== "object" || Array.isArray(preset))
    return ` = ${JSON.stringify(preset).replaceAll('"', "")}`;
  return "name" in (preset as object) ? ` = ${(preset as { name: string }).name}` : "";
}

interface Peeled {
  readonly inner: z.core.$ZodType;
  readonly description?: string | undefined;
}

/** What is inside defaults, optional marks and preprocessing, with the outermost description. */
function peeled(schema: z.core.$ZodType): Peeled {
  const description = (schema as z.ZodType).description;
  const next =
    schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault
      ? schema.def.innerType
      : schema instanceof z.ZodPipe
        ? schema.def.out
        : undefined;
  if (next === undefined) return { inner: schema, description };
  const within = peeled(next);
  return { inner: within.inner, description: description ?? within.description };
}
