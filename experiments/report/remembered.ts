import { statSync } from "node:fs";

/**
 * What `read` makes of a file and further arguments, made again only once the file has changed: a page that follows
 * results is made often.
 */
export function remembered<A extends readonly (string | number)[], T>(
  read: (file: string, ...rest: A) => T,
): (file: string, ...rest: A) => T {
  const known = new Map<string, { readonly version: string; readonly value: T }>();
  return (file, ...rest) => {
    const { mtimeMs, size } = statSync(file);
    const version = [mtimeMs, size, ...rest].join(" ");
    const before = known.get(file);
    if (before?.version === version) return before.value;
    const value = read(file, ...rest);
    known.set(file, { version, value });
    return value;
  };
}
