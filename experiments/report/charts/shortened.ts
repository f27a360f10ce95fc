import { textWidth } from "./textWidth.ts";

/** A text as far as a width in pixels allows, with an ellipsis where that is not all of it. */
export function shortened(text: string, width: number, fontSize: number): string {
  const fits = (candidate: string): boolean => textWidth(candidate, fontSize) <= width;
  if (fits(text)) return text;
  const letters = Array.from(text);
  while (letters.length > 0 && !fits(`${letters.join("")}…`)) letters.pop();
  return `${letters.join("")}…`;
}
