import { z } from "zod";
import { InputError, nearest } from "./errors.ts";

/**
 * What a schema makes of a value, defaults filled in.
 *
 * @throws InputError naming the place of everything that is wrong, what was expected there, and the nearest known name.
 */
export function parsed<S extends z.ZodType>(where: string, schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  throw new InputError(`${where}: ${result.error.issues.map((issue) => explain(schema, issue)).join("; ")}`);
}

function explain(schema: z.core.$ZodType, issue: z.core.$ZodIssue): string {
  const at = issue.path.map(String).join(".");
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(schema, issue.path, issue.input);
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
  return `${at === "" ? "options" : at}: ${issue.message.replace(/^Invalid input: |, received .*$/g, "")}, got ${got}`;
}

/** "did you mean steps?", or all that could have been meant. */
export function hint(word: string, known: readonly string[]): string {
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

/** The schema behind defaults, optional marks, preprocessing and what is named before it is there. */
export function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return unwrapped(schema.def.innerType);
  }
  if (schema instanceof z.ZodLazy) return unwrapped(schema.def.getter());
  return schema instanceof z.ZodPipe ? unwrapped(schema.def.out) : schema;
}
