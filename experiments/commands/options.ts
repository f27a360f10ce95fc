import { z } from "zod";
import { experimentSchema } from "../config.ts";

/** Every option of a config as lines of text: path, default, and what it is; those of a choice under each name. */
export function optionLines(): string[] {
  return linesOf(experimentSchema, "");
}

function linesOf(schema: z.core.$ZodType, indent: string): string[] {
  const { inner } = peeled(schema);
  if (inner instanceof z.ZodArray) return linesOf(inner.element as z.core.$ZodType, indent);
  if (inner instanceof z.ZodDiscriminatedUnion) {
    return (inner.options as z.ZodObject[]).flatMap((entry) => {
      const name = (entry.shape.name as z.ZodLiteral<string>).value;
      return [`${indent}- ${name}`, ...linesOf(entry, `${indent}    `)];
    });
  }
  if (!(inner instanceof z.ZodObject)) return [];
  return Object.entries(inner.shape as Record<string, z.ZodType>)
    .filter(([, option]) => !(option instanceof z.ZodLiteral))
    .flatMap(([key, option]) => [lineOf(key, option, indent), ...linesOf(option, `${indent}  `)]);
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
