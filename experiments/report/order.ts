import { initializations } from "../../src/distillers/initialize.ts";
import { methods as objectives } from "../../src/objectives/index.ts";

/** Names in the order of all tables and legends: what is taken or drawn first, then what is learned. */
const known = [...Object.keys(initializations), ...Object.keys(objectives)];

/**
 * Methods as `methodOf` names them, each once: baselines, then in the order of the table of methods, a bare one before the
 * same in plugins, and unknown ones last.
 */
export function inOrder(methods: readonly string[]): string[] {
  const place = (method: string): number => {
    const at = known.indexOf(method.split(" + ")[0]!);
    return at < 0 ? known.length : at;
  };
  const wrapped = (method: string): number => Number(method.includes(" + "));
  return [...new Set(methods)].sort((a, b) => place(a) - place(b) || wrapped(a) - wrapped(b));
}
