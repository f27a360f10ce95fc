import { z } from "zod";
import { check, InputError } from "../../src/core/errors.ts";
import { hint } from "../../src/core/parse.ts";

/** One value of an axis, and the options it sets. */
export interface Choice {
  /** "dm", "50": unique on its axis. */
  readonly label: string;
  /** As the file has it: a label, or the option's value. */
  readonly value: unknown;
  /** Options by their paths, in the order in which they are set. */
  readonly options: readonly (readonly [path: string, value: unknown])[];
}

/** Something that varies from cell to cell. */
export interface Axis {
  readonly name: string;
  /** Whether its values are cases with names of their own, not values of the option that the axis is called by. */
  readonly labelled: boolean;
  readonly choices: readonly Choice[];
}

/** One choice for each axis. */
export type Labels = Readonly<Record<string, string>>;

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);

/** Schema of `grid`: a list of values of the option by that path, or a map of labelled cases. */
export const gridSchema = z
  .record(
    z.string(),
    z
      .unknown()
      .refine(
        (values) => typeof values === "object" && values !== null && Object.keys(values).length > 0,
        "expected a list of values, or a map of cases with the options of each",
      ),
  )
  .refine(
    (grid) => Object.keys(grid).length > 0,
    "expected at least one axis, as in data.imbalance: [1, 10]",
  );

/** Schema of `exclude`: cells that agree with all that an entry says are left out. */
export const excludeSchema = z.array(
  z
    .record(z.string(), z.union([scalar, z.array(scalar).min(1)]))
    .refine(
      (entry) => Object.keys(entry).length > 0,
      "expected axes and their values, as in { method: random }",
    ),
);

/** The axes of a grid. */
export function axesOf(grid: Readonly<Record<string, unknown>>, where: string): Axis[] {
  return Object.entries(grid).map(([name, values]) => {
    const labelled = !Array.isArray(values);
    const choices = Array.isArray(values)
      ? values.map((value: unknown) => ({ label: labelOf(value), value, options: [[name, value] as const] }))
      : Object.entries(values as object).map(([label, options]) =>
          caseOf(label, options, `${where}: grid.${name}.${label}`),
        );
    check(
      name !== "seeds" && choices.every(({ options }) => options.every(([path]) => path !== "seeds")),
      () => `${where}: grid.${name}: expected options other than seeds; every cell runs at all of \`seeds\``,
    );
    const labels = choices.map(({ label }) => label);
    const twice = labels.find((label, i) => labels.indexOf(label) !== i);
    check(
      twice === undefined,
      () =>
        `${where}: grid.${name}: expected values that can be told apart, got ${twice!} twice; ` +
        "make it a map, with a label for each",
    );
    return { name, labelled, choices };
  });
}

function caseOf(label: string, options: unknown, where: string): Choice {
  check(
    /^\w[\w.+-]*$/.test(label),
    () => `${where}: expected a label of letters, digits and any of . + - _, since it names folders`,
  );
  check(
    options === null || (typeof options === "object" && !Array.isArray(options)),
    () => `${where}: expected options, as in { objective: dm, steps: 100 }, got ${JSON.stringify(options)}`,
  );
  return { label, value: label, options: assignments(options ?? {}) };
}

/**
 * Options as a flat list. Nested ones are completed by what is there already, as `data: { imbalance: 10 }` leaves the
 * data set's name alone; one with a name of its own takes the place of what was there.
 */
export function assignments(options: object, within = ""): [path: string, value: unknown][] {
  return Object.entries(options).flatMap(([key, value]: [string, unknown]) => {
    const path = within === "" ? key : `${within}.${key}`;
    const whole = typeof value !== "object" || value === null || Array.isArray(value) || "name" in value;
    return whole ? [[path, value] as [string, unknown]] : assignments(value, path);
  });
}

/** A value as part of a folder's name: "50", "matern32", "student-degrees-3". */
function labelOf(value: unknown): string {
  const text = (part: unknown): string => {
    if (part === null) return "default";
    if (Array.isArray(part)) return part.length === 0 ? "none" : part.map(text).join("+");
    if (typeof part !== "object") return String(part as string | number | boolean);
    const { name, ...options } = part as Record<string, unknown>;
    const named = Object.entries(options).map(([key, child]) => `${key}-${text(child)}`);
    return [...(name === undefined ? [] : [text(name)]), ...named].join("-");
  };
  const label = text(value).replace(/[^\w.+-]+/g, "-");
  return label === "" ? "none" : label;
}

/** Every cell of the grid as one choice for each axis; the last axis varies fastest. */
export function product(axes: readonly Axis[]): (readonly Choice[])[] {
  return axes.reduce<(readonly Choice[])[]>(
    (cells, { choices }) => cells.flatMap((cell) => choices.map((choice) => [...cell, choice])),
    [[]],
  );
}

/**
 * Whether a cell is one that `exclude` leaves out.
 *
 * @throws InputError for an entry with an axis or a value that the grid does not have.
 */
export function exclusion(
  axes: readonly Axis[],
  exclude: z.output<typeof excludeSchema>,
  where: string,
): (cell: readonly Choice[]) => boolean {
  const names = axes.map(({ name }) => name);
  const entries = exclude.map((entry, i) =>
    Object.entries(entry).map(([name, given]) => {
      const place = names.indexOf(name);
      check(
        place >= 0,
        () => `${where}: exclude.${i}.${name}: expected an axis of the grid; ${hint(name, names)}`,
      );
      return { place, chosen: chosenFrom(axes[place]!, given, `${where}: exclude.${i}.${name}`) };
    }),
  );
  return (cell) =>
    entries.some((entry) =>
      entry.every(({ place, chosen }) => chosen.some(({ label }) => label === cell[place]!.label)),
    );
}

/**
 * The choices of an axis that `given` names: a value or several, of cases their labels.
 *
 * @throws InputError if one is none of them.
 */
export function chosenFrom({ choices }: Axis, given: unknown, where: string): Choice[] {
  const wanted: readonly unknown[] = Array.isArray(given) ? given : [given];
  return wanted.map((one) => {
    const label = labelOf(one);
    const found = choices.find((choice) => choice.label === label);
    if (found) return found;
    const labels = choices.map((choice) => choice.label);
    throw new InputError(`${where}: expected one of ${labels.join(", ")}, got ${JSON.stringify(one)}`);
  });
}
