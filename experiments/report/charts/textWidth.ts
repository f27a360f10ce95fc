/** Advance widths in em, after Source Sans 3, from the narrow to the wide; letters not listed are taken as `OTHER`. */
const widths: readonly (readonly [letters: string, em: number])[] = [
  [" .,:;'|!ijl", 0.26],
  ["()[]/\\-ftrI", 0.33],
  ["csvxyzkJ?_", 0.48],
  ["ABCDEFGHKLNOPQRSTUVXYZ&+=<>~±×–", 0.6],
  ["mwMW@%", 0.83],
];
const OTHER = 0.53;
/** System fonts of a page are up to this much wider, DejaVu Sans the most. */
const MARGIN = 1.18;

const table = new Map(
  widths.flatMap(([letters, em]) => Array.from(letters).map((letter) => [letter, em] as const)),
);

/** About how wide a text is drawn, in pixels: enough to leave room for it where no font can be measured. */
export function textWidth(text: string, fontSize: number): number {
  return MARGIN * fontSize * Array.from(text).reduce((sum, letter) => sum + (table.get(letter) ?? OTHER), 0);
}
