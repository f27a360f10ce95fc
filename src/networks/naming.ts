/**
 * A network's name by what differs from its usual options, as in "alexNet-w32-batch" of an AlexNet.
 *
 * @param numbers letter, value and usual value of each option with a number.
 * @param parts what else distinguishes it; parts that are undefined are left out.
 */
export function nameOf(
  architecture: string,
  numbers: Readonly<Record<string, readonly [value: number, usual: number]>>,
  ...parts: readonly (string | undefined)[]
): string {
  const unusual = Object.entries(numbers).filter(([, [value, usual]]) => value !== usual);
  const words = [...unusual.map(([letter, [value]]) => `${letter}${value}`), ...parts];
  return [architecture, ...words.filter((word) => word !== undefined)].join("-");
}
