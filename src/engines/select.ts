import { InputError, oneOf } from "../core/errors.ts";
import type { Engine } from "./engine.ts";

/** An engine, and which one it is and why no better one was taken, in one line. */
export interface Selection {
  /** Ready to use. */
  readonly engine: Engine;
  /** As in "torch-cpu (libtorch …); not torch-cuda: …". */
  readonly reason: string;
}

/** Engines by name, best first. Each throws an InputError where it does not work. */
export type EngineTable = Readonly<Record<string, () => Engine | Promise<Engine>>>;

/**
 * The first engine of a family that works.
 *
 * @param name "auto" for all of the table, the part of an engine's name before its first hyphen for a family ("torch"),
 *   or an engine's whole name.
 * @throws InputError where the name is unknown or nothing it stands for works, with every reason.
 */
export async function selectFrom(table: EngineTable, name: string): Promise<Selection> {
  const names = oneOf("engine", familiesOf(table), name);
  const failures = new Map<string, string[]>();
  for (const candidate of names) {
    try {
      const engine = await table[candidate]!();
      const better = failures.size === 0 ? "" : `; not ${describe(failures)}`;
      return { engine, reason: `${engine.name} (${engine.description})${better}` };
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      failures.set(error.message, [...(failures.get(error.message) ?? []), candidate]);
    }
  }
  throw new InputError(`engine: expected ${name} to work here, but not ${describe(failures)}`);
}

/** What each accepted name stands for, in the table's order. */
function familiesOf(table: EngineTable): Record<string, string[]> {
  const families: Record<string, string[]> = { auto: Object.keys(table) };
  for (const name of Object.keys(table)) {
    (families[name.split("-")[0]!] ??= []).push(name);
    families[name] = [name];
  }
  return families;
}

/** Engines that failed for the same reason share a clause. */
function describe(failures: ReadonlyMap<string, readonly string[]>): string {
  return [...failures].map(([message, names]) => `${names.join(", ")}: ${message}`).join("; not ");
}
