/** Red, green and blue in sRGB, each in [0, 1]. */
export type Color = readonly [red: number, green: number, blue: number];

/**
 * A color by how it looks, in OKLCH (Ottosson 2020): equal steps look equally far apart, whatever the hue.
 *
 * @param lightness 0 (black) to 1 (white).
 * @param chroma 0 (gray) to about 0.3; what the screen cannot show is clipped.
 * @param hue radians.
 */
export function oklch(lightness: number, chroma: number, hue: number): Color {
  const a = chroma * Math.cos(hue);
  const b = chroma * Math.sin(hue);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    encoded(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    encoded(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    encoded(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

/** Transfer function of sRGB (IEC 61966-2-1). */
function encoded(linear: number): number {
  const clipped = Math.min(1, Math.max(0, linear));
  return clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * clipped ** (1 / 2.4) - 0.055;
}

/** Luma of BT.601, the gray that image libraries make of a color. */
export function luma(red: number, green: number, blue: number): number {
  return 0.299 * red + 0.587 * green + 0.114 * blue;
}
