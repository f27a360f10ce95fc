import { z } from "zod";
import { type Rng, seeded } from "../core/rng.ts";
import { type ImageShape, sizeOf } from "../core/shape.ts";
import { type Color, luma, oklch } from "./color.ts";
import { checkedDataset, type Dataset, type Splits } from "./dataset.ts";
import { type GeneratedEntry, parsedOptions } from "./entry.ts";
import { type Figure, figures } from "./shapes.ts";
import { type ChannelStatistics, normalization } from "./statistics.ts";

const options = z.strictObject({
  classes: z
    .int()
    .min(2)
    .max(figures.size)
    .default(figures.size)
    .describe("Kinds of figures, the first so many."),
  trainPerClass: z.int().min(1).default(500).describe("Training images of each class."),
  testPerClass: z.int().min(1).default(100).describe("Test images of each class."),
  side: z.int().min(8).max(256).default(32).describe("Height and width, pixels."),
  channels: z
    .union([z.literal(3), z.literal(1)])
    .default(3)
    .describe("3 for color, 1 for gray."),
  rotation: z
    .number()
    .min(0)
    .max(180)
    .default(45)
    .describe("Figures are turned by up to this, degrees either way."),
  clutter: z.int().min(0).max(20).default(4).describe("At most so many bars lie behind the figure."),
  noise: z
    .number()
    .min(0)
    .max(1)
    .default(0.03)
    .describe("Standard deviation of the noise; black to white is 1."),
  seed: z.int().min(0).default(0).describe("Seed of all images; it does not change with the run's seed."),
});
type Options = z.output<typeof options>;

/** Position in the picture, whose corners are (±1, ±1), y downwards. */
type Field = (x: number, y: number) => number;

/** A square part of the picture. */
interface Bounds {
  readonly x: number;
  readonly y: number;
  /** Half the side. */
  readonly radius: number;
}
const picture: Bounds = { x: 0, y: 0, radius: 1 };

/** Where a layer covers what is there. */
interface Mask {
  /** 0 (nothing) to 1 (opaque). */
  readonly coverage: Field;
  /** Outside of it the coverage is 0. Default: the picture. */
  readonly bounds?: Bounds;
}

/** Something painted over what is there, in a mixture of two colors. */
interface Layer extends Mask {
  /** Share of the second color, 0 to 1. */
  readonly mixture: Field;
  readonly colors: readonly [Color, Color];
}

const between = (rng: Rng, low: number, high: number): number => low + (high - low) * rng.uniform();
const black: Color = [0, 0, 0];
const clipped = (value: number): number => Math.min(1, Math.max(0, value));

/** Textures: how two colors mix over the picture. Which one, how fine and how turned is random. */
const textures: readonly ((rng: Rng) => Field)[] = [gradient, stripes, checks, waves];

/** From one color to the other, straight across. */
function gradient(rng: Rng): Field {
  const angle = between(rng, 0, 2 * Math.PI);
  const cos = Math.cos(angle) / 2;
  const sin = Math.sin(angle) / 2;
  return (x, y) => clipped(0.5 + x * cos + y * sin);
}

/** Soft square wave along a direction. */
function stripes(rng: Rng): Field {
  const angle = between(rng, 0, Math.PI);
  const frequency = between(rng, 6, 14);
  const phase = between(rng, 0, 2 * Math.PI);
  const cos = frequency * Math.cos(angle);
  const sin = frequency * Math.sin(angle);
  return (x, y) => clipped(0.5 + 1.5 * Math.sin(x * cos + y * sin + phase));
}

/** Where two square waves agree. */
function checks(rng: Rng): Field {
  const angle = between(rng, 0, Math.PI / 2);
  const frequency = between(rng, 5, 10);
  const cos = frequency * Math.cos(angle);
  const sin = frequency * Math.sin(angle);
  return (x, y) => clipped(0.5 + 2.5 * Math.sin(x * cos + y * sin) * Math.sin(y * cos - x * sin));
}

/** Product of two plane waves: soft patches. */
function waves(rng: Rng): Field {
  const [xx, xy, yx, yy] = [
    between(rng, -5, 5),
    between(rng, -5, 5),
    between(rng, -5, 5),
    between(rng, -5, 5),
  ];
  const phase = between(rng, 0, 2 * Math.PI);
  return (x, y) => 0.5 + 0.5 * Math.sin(x * xx + y * xy + phase) * Math.sin(x * yx + y * yy);
}

function texture(rng: Rng): Field {
  return textures[rng.integer(textures.length)]!(rng);
}

/** Two colors of similar lightness, so that a texture disturbs an outline without drawing one as strong. */
function colorPair(rng: Rng, lightness: number): [Color, Color] {
  const hue = between(rng, 0, 2 * Math.PI);
  const chroma = between(rng, 0.03, 0.15);
  const step = between(rng, 0.05, 0.14);
  return [
    oklch(lightness - step / 2, chroma, hue),
    oklch(lightness + step / 2, chroma, hue + between(rng, -0.8, 0.8)),
  ];
}

interface Place {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  /** Radians. */
  readonly angle: number;
}

/** A figure moved, turned and scaled, with an edge of the given width and an opacity. */
function placed(figure: Figure, { x: left, y: top, radius, angle }: Place, edge: number, opacity = 1): Mask {
  const cos = Math.cos(angle) / radius;
  const sin = Math.sin(angle) / radius;
  return {
    coverage(x, y) {
      const dx = x - left;
      const dy = y - top;
      const distance = figure.distance(dx * cos + dy * sin, dy * cos - dx * sin) * radius;
      return opacity * clipped(0.5 - distance / edge);
    },
    bounds: { x: left, y: top, radius: figure.reach * radius + edge },
  };
}

/** A straight bar of random length, width and direction: an edge that belongs to no figure. */
function bar(rng: Rng, edge: number): Mask {
  const left = between(rng, -1, 1);
  const top = between(rng, -1, 1);
  const angle = between(rng, 0, Math.PI);
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  const length = between(rng, 0.2, 0.9);
  const width = between(rng, 0.04, 0.14);
  return {
    coverage(x, y) {
      const along = (x - left) * cos + (y - top) * sin;
      const across = (y - top) * cos - (x - left) * sin;
      return clipped(0.5 - Math.max(Math.abs(along) - length, Math.abs(across) - width) / edge);
    },
    bounds: { x: left, y: top, radius: length + width + edge },
  };
}

/** Everything about a picture that is not its figure's kind is drawn here, by the same law for every class. */
function scene(rng: Rng, figure: Figure, { side, rotation, clutter }: Options): Layer[] {
  const edge = 2 / side; // one pixel
  const lightness = between(rng, 0.3, 0.85);
  const contrast = between(rng, 0.22, 0.42);
  // The figure is brighter or darker than the background, where there is room for both.
  const sign = lightness + contrast > 0.97 ? -1 : lightness - contrast < 0.15 || rng.uniform() < 0.5 ? 1 : -1;
  const background: Layer = { coverage: () => 1, mixture: texture(rng), colors: colorPair(rng, lightness) };
  const bars = Array.from({ length: rng.integer(clutter + 1) }, (): Layer => {
    const colors = colorPair(rng, clipped(lightness + between(rng, -0.25, 0.25)));
    return { ...bar(rng, edge), mixture: gradient(rng), colors };
  });
  const place = {
    x: between(rng, -0.3, 0.3),
    y: between(rng, -0.3, 0.3),
    radius: between(rng, 0.34, 0.54),
    angle: (between(rng, -rotation, rotation) * Math.PI) / 180,
  };
  const shadow = placed(figure, { ...place, x: place.x + 0.06, y: place.y + 0.09 }, 0.2, 0.35);
  return [
    background,
    ...bars,
    { ...shadow, mixture: () => 0, colors: [black, black] },
    {
      ...placed(figure, place, edge),
      mixture: texture(rng),
      colors: colorPair(rng, lightness + sign * contrast),
    },
  ];
}

/** Pixels across, from the first to below the last, that a stretch of the picture touches. */
function pixelRange(center: number, radius: number, side: number): [first: number, end: number] {
  const pixelAt = (position: number): number => ((position + 1) * side) / 2;
  return [
    Math.max(0, Math.floor(pixelAt(center - radius))),
    Math.min(side, Math.ceil(pixelAt(center + radius))),
  ];
}

/** Paints a layer over the canvas, [side, side, 3] in [0, 1]. */
function paint(
  canvas: Float32Array,
  { coverage, mixture, colors, bounds = picture }: Layer,
  side: number,
): void {
  const [first, second] = colors;
  const [left, right] = pixelRange(bounds.x, bounds.radius, side);
  const [top, bottom] = pixelRange(bounds.y, bounds.radius, side);
  for (let row = top; row < bottom; row++) {
    const y = (2 * row + 1) / side - 1;
    for (let column = left; column < right; column++) {
      const x = (2 * column + 1) / side - 1;
      const opacity = coverage(x, y);
      if (opacity === 0) continue;
      const share = mixture(x, y);
      const pixel = 3 * (row * side + column);
      for (let c = 0; c < 3; c++) {
        const color = first[c]! + share * (second[c]! - first[c]!);
        canvas[pixel + c]! += opacity * (color - canvas[pixel + c]!);
      }
    }
  }
}

/** Bytes of a picture, in gray where there is one channel, with uniform noise. */
function developed(canvas: Float32Array, { channels, noise }: Options, rng: Rng): Uint8ClampedArray {
  const bytes = new Uint8ClampedArray((canvas.length / 3) * channels);
  const width = noise * Math.sqrt(12); // a uniform law of this width has the standard deviation `noise`
  for (let i = 0; i < bytes.length; i++) {
    const value = channels === 3 ? canvas[i]! : luma(canvas[3 * i]!, canvas[3 * i + 1]!, canvas[3 * i + 2]!);
    bytes[i] = 255 * (value + width * (rng.uniform() - 0.5));
  }
  return bytes;
}

function split(chosen: Options, name: "train" | "test", by?: ChannelStatistics): Dataset {
  const { classes, side, channels, seed } = chosen;
  const perClass = name === "train" ? chosen.trainPerClass : chosen.testPerClass;
  const imageShape: ImageShape = [side, side, channels];
  const size = sizeOf(imageShape);
  const kinds = [...figures].slice(0, classes);
  const pixels = new Uint8Array(classes * perClass * size);
  // Images of all classes in turn, so that the first so many are balanced too.
  const labels = Int32Array.from({ length: classes * perClass }, (_, i) => i % classes);
  labels.forEach((label, i) => {
    const rng = seeded(seed).stream(`procedural/${name}/${label}/${Math.floor(i / classes)}`);
    const canvas = new Float32Array(side * side * 3);
    for (const layer of scene(rng.stream("scene"), kinds[label]![1], chosen)) paint(canvas, layer, side);
    pixels.set(developed(canvas, chosen, rng.stream("noise")), i * size);
  });
  const { mean, std } = by ?? normalization("procedural", pixels, channels);
  const classNames = kinds.map(([kind]) => kind);
  return checkedDataset({ name: "procedural", classNames, imageShape, pixels, labels, mean, std });
}

/**
 * Textured figures before cluttered backgrounds. The class is the figure's kind; position, size, turn, colors, textures,
 * clutter, shadow and noise follow one law for all classes, and all kinds have the same area, so neither colors nor
 * brightness tell the class. Image i of a class depends on the seed and on i alone, not on how many images are made.
 */
export const procedural = {
  summary: "figures drawn from a seed, no files needed: ten kinds before cluttered backgrounds",
  options,
  from: "options",
  read(given: z.input<typeof options> = {}): Splits {
    const chosen = parsedOptions("procedural", options, given);
    const train = split(chosen, "train");
    return { train, test: split(chosen, "test", train) };
  },
} satisfies GeneratedEntry;
