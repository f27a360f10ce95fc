import { z } from "zod";

/** Table of named things with options of their own, each a strict zod object. */
export type OptionTable = Readonly<Record<string, { readonly options: z.ZodObject }>>;

/** What `choice` parses to: the name of an entry and that entry's options with their defaults. */
export type Chosen<T extends OptionTable> = {
  [Name in keyof T & string]: { name: Name } & Known<z.infer<T[Name]["options"]>>;
}[keyof T & string];

/** Options as they are; of an entry without any, nothing is said, where zod forbids every key, the name among them. */
type Known<O> = string extends keyof O ? unknown : O;

/**
 * What `choice` accepts: an entry's name with those of its options that differ from their defaults, or alone where all
 * have one.
 */
export type Choice<T extends OptionTable> =
  | {
      [Name in keyof T & string]: object extends Known<z.input<T[Name]["options"]>> ? Name : never;
    }[keyof T & string]
  | { [Name in keyof T & string]: { readonly name: Name } & Known<z.input<T[Name]["options"]>> }[keyof T &
      string];

/**
 * Schema of a choice from a table: `{ name: gaussian, scale: 2 }`, or `gaussian` alone for its defaults.
 * An entry's options are parsed strictly: those of another entry are unknown keys.
 *
 * @param preferred what is chosen where nothing is, and completed where options come without a name.
 */
export function choice<T extends OptionTable>(table: T): z.ZodType<Chosen<T>, Choice<T>>;
export function choice<T extends OptionTable>(table: T, preferred: Preferred<T>): OptionalChoice<T>;
export function choice<T extends OptionTable>(table: T, preferred?: Preferred<T>): z.ZodType<Chosen<T>> {
  const named = Object.entries(table).map(([name, { options }]) => options.extend({ name: z.literal(name) }));
  const [first, ...rest] = named;
  if (!first) throw new Error("internal: choice from an empty table");
  const union = z.discriminatedUnion("name", [first, ...rest]);
  const spelled = (value: unknown): unknown => {
    if (typeof value === "string") return { name: value };
    const unnamed =
      value === undefined || (typeof value === "object" && value !== null && !("name" in value));
    return unnamed && preferred !== undefined ? { ...preferred, ...(value as object | undefined) } : value;
  };
  return z.preprocess(spelled, union) as unknown as z.ZodType<Chosen<T>>;
}

type Preferred<T extends OptionTable> = { readonly name: keyof T & string } & Readonly<
  Record<string, unknown>
>;

/** A choice that may be left out. */
type OptionalChoice<T extends OptionTable> = z.ZodType<Chosen<T>, Choice<T> | undefined> & {
  readonly _zod: { readonly optin: "optional" };
};

/** An option with another default, and the description that it has. */
export function preferring<T extends z.ZodType>(
  option: z.ZodDefault<T>,
  value: z.output<T>,
): z.ZodDefault<T> {
  const inner: T = option.unwrap();
  return inner.default(value as never).describe(option.description!) as unknown as z.ZodDefault<T>;
}
