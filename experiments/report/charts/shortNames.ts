/**
 * Networks by the first part of their names, convNet of convNet-d3-w128-relu-instance-avg; those that share it, with
 * the parts in which they differ.
 */
export function shortNames(names: readonly string[]): (name: string) => string {
  const distinct = [...new Set(names)].map((name) => ({ name, parts: name.split("-") }));
  const table = distinct.map(({ name, parts }) => {
    const family = distinct.filter((other) => other.parts[0] === parts[0]);
    const telling = parts.filter(
      (part, place) => place === 0 || family.some((other) => other.parts[place] !== part),
    );
    return [name, telling.join("-")] as const;
  });
  const short = new Map(table);
  // Different lengths of name can leave the same parts behind.
  const unique = new Set(short.values()).size === short.size;
  return (name) => (unique ? (short.get(name) ?? name) : name);
}

/** "convNet: convNet-d3-w128-relu-instance-avg." of every name that is shortened. */
export function meanings(names: readonly string[]): string[] {
  const short = shortNames(names);
  return [...new Set(names)].filter((name) => short(name) !== name).map((name) => `${short(name)}: ${name}.`);
}
