import { z } from "zod";
import { check } from "../core/errors.ts";
import { type Chosen, type OptionTable, preferring } from "../core/options.ts";
import { bind, type ImageShape, type Shape } from "../core/shape.ts";
import type { Engine, Tensor } from "../engines/index.ts";
import type { Parameters, ParameterSpec, Task } from "../networks/index.ts";
import type { Dropout } from "./dropout.ts";
import {
  attention,
  convolved,
  enlarged,
  type Layer,
  linear,
  normSilu,
  parameter,
  type Pass,
  type Plan,
  residualBlock,
  silu,
} from "./unetLayers.ts";

const unetOptions = z.strictObject({
  width: z.int().min(2).default(64).describe("Channels of the first level"),
  multipliers: z
    .array(z.int().min(1))
    .min(1)
    .default([1, 2, 2])
    .describe("Channels of each level over those of the first; each level has half the height and width"),
  blocks: z
    .int()
    .min(1)
    .default(2)
    .describe("Residual blocks of a level on the way down; one more on the way up"),
  attention: z
    .array(z.int().min(1))
    .default([16, 8])
    .describe("Heights of the maps with self-attention after every block; the smallest map always has one"),
  groups: z.int().min(1).default(8).describe("Of group norm; at least 2 channels in each"),
  embedding: z.int().min(2).default(256).describe("Length of the embedding of time and class"),
  dropout: z
    .number()
    .min(0)
    .lt(1)
    .default(0.1)
    .describe("Share of the elements that training drops in a block"),
});

/** Every option of a U-Net. */
export type UNetOptions = z.infer<typeof unetOptions>;

/** Sizes by name; each takes the same options, with defaults of its own. */
export const unets = {
  /** 2.1 million parameters for 10 classes of 32×32 in color: to try things out. */
  xs: { options: unetOptions.extend({ width: preferring(unetOptions.shape.width, 32) }), build: unet },
  /** 7.3 million. */
  s: { options: unetOptions, build: unet },
  /** 35.5 million: the widths of DDPM's network for CIFAR-10 (Ho et al., NeurIPS 2020). */
  ddpm: {
    options: unetOptions.extend({
      width: preferring(unetOptions.shape.width, 128),
      multipliers: preferring(unetOptions.shape.multipliers, [1, 2, 2, 2]),
      attention: preferring(unetOptions.shape.attention, [16]),
    }),
    build: unet,
  },
} as const satisfies OptionTable & Record<string, { build: typeof unet }>;

/** A size's name and options, as a config states them. */
export type UNetChoice = Chosen<typeof unets>;

/** What the noise of an image is predicted from, beside the image. */
export interface Condition {
  /** Time of each image, 0 … T − 1, [n]. */
  readonly times: ArrayLike<number>;
  /** Class of each image, or `classes` where it is not told, [n]. */
  readonly labels: ArrayLike<number>;
}

/** A network that predicts the noise in images, as a pure function of its parameters. */
export interface UNet {
  /** Architecture with all that distinguishes it, as in "unet-w64-m1.2.2-b2-a16.8". */
  readonly name: string;
  /** Height, width and channels of the images. */
  readonly imageShape: ImageShape;
  /** Number of classes; this number as a label stands for no class. */
  readonly classes: number;
  /** Names, shapes and initial laws of its trainable tensors. */
  readonly parameters: readonly ParameterSpec[];
  /** Shapes of one image's maps that dropout thins. */
  readonly thinned: readonly Shape[];
  /** Share that training drops of them. */
  readonly dropout: number;
  /** Multiplications with additions of one image's pass. */
  readonly products: number;
  /** Numbers that one image's pass keeps for the gradient, about. */
  readonly kept: number;
  /** ε̂ of images x_t, both [n, h, w, c]. */
  noise(parameters: Parameters, images: Tensor, condition: Condition, dropout?: Dropout): Tensor;
}

/**
 * A class-conditional U-Net in pixel space (as in DDPM, with FiLM for its shift): a convolution; levels of residual blocks,
 * each with self-attention at some sizes, halved between levels by convolutions at stride 2; block, attention, block at the
 * smallest size; the levels upwards, whose blocks also see what the same level had on the way down; norm, SiLU and a
 * convolution that begins at 0, so that a fresh network predicts no noise. Time and class become one embedding:
 *
 *     MLP(sinusoid(t)) + table[class]
 *
 * with a row of the table for no class.
 *
 * @throws InputError where maps do not divide into halves or channels into groups.
 */
export function unet(given: Partial<UNetOptions>, { imageShape, classes }: Task): UNet {
  const chosen = unetOptions.parse(given);
  const { width, multipliers, blocks, groups, embedding } = chosen;
  checkSizes(chosen, imageShape);
  const plan: Plan = { specs: [], thinned: [], groups, embedding, products: 0, kept: 0 };
  const conditioned = conditioning(plan, width, classes);
  const first = convolved(plan, "in", imageShape, { channels: width, side: 3 });
  const { levels, middle } = encoder(plan, chosen, first.map);
  const up = decoder(plan, chosen, { levels, from: first.map, middle: middle.at(-1)!.map });
  const last = up.at(-1)!.map;
  const norm = normSilu(plan, "out.norm", last);
  const out = convolved(plan, "out", last, { channels: imageShape[2], side: 3, zero: true });
  const { specs, thinned, products, kept } = plan;
  return {
    name: `unet-w${width}-m${multipliers.join(".")}-b${blocks}-a${chosen.attention.join(".")}`,
    ...{ imageShape, classes, parameters: specs, thinned, dropout: chosen.dropout, products, kept },
    noise(values, images, condition, dropout) {
      bind("unet", [images, `n ${imageShape.join(" ")}`]);
      const pass: Pass = { values, condition: conditioned(images.engine, values, condition), dropout };
      const kept = [first.apply(images, pass)];
      for (const layers of levels.flat()) kept.push(applied(layers, kept.at(-1)!, pass));
      let x = applied(middle, kept.at(-1)!, pass);
      for (const step of up) x = step.apply(x, kept, pass);
      return out.apply(norm.apply(x, pass), pass);
    },
  };
}

function checkSizes({ width, multipliers, groups }: UNetOptions, [height, wide]: ImageShape): void {
  const parts = 2 ** (multipliers.length - 1);
  check(
    height % parts === 0 && wide % parts === 0,
    () =>
      `unet.multipliers: expected images whose height and width divide by ${parts}, as ${multipliers.length} levels halve ` +
      `them, got ${height}×${wide}; use fewer levels`,
  );
  // A norm of single channels would take away again what time and class have done to each.
  check(
    width >= 2 * groups,
    () =>
      `unet.groups: expected at most ${Math.floor(width / 2)} groups for a width of ${width}, got ${groups}`,
  );
}

/** Embedding of time and class after a SiLU, as every block reads it. */
function conditioning(plan: Plan, width: number, classes: number) {
  const { embedding } = plan;
  const first = linear(plan, "time.linear1", { inputs: width, outputs: embedding });
  const second = linear(plan, "time.linear2", { inputs: embedding, outputs: embedding });
  const table = parameter(plan, {
    name: "class.table",
    shape: [classes + 1, embedding],
    initial: { deviation: 1 },
  });
  plan.products += width * embedding + embedding ** 2;
  return (engine: Engine, values: Parameters, { times, labels }: Condition): Tensor => {
    const waves = engine.tensor([times.length, width], sinusoids(times, width));
    const ofTime = second(silu(first(waves, { values })), { values });
    const ofClass = table({ values }).gather(engine.indices(labels));
    return silu(ofTime.add(ofClass));
  };
}

/**
 * Times as waves of many lengths (Vaswani et al., NIPS 2017): cos(t ω_k), then sin(t ω_k), ω_k = 10000^(−k/half),
 * k = 0 … half − 1, half = ⌊width/2⌋; a last number of an odd width is 0.
 *
 * @returns [times, width], row-major.
 */
export function sinusoids(times: ArrayLike<number>, width: number): Float64Array {
  const half = Math.floor(width / 2);
  const waves = new Float64Array(times.length * width);
  for (let i = 0; i < times.length; i++) {
    for (let k = 0; k < half; k++) {
      const angle = times[i]! * 10000 ** (-k / half);
      waves[i * width + k] = Math.cos(angle);
      waves[i * width + half + k] = Math.sin(angle);
    }
  }
  return waves;
}

/** Layers one after another. */
type Chain = readonly Layer[];

const applied = (layers: Chain, x: Tensor, pass: Pass): Tensor =>
  layers.reduce((map, layer) => layer.apply(map, pass), x);

/** A residual block, and attention where its map has the size. */
function block(plan: Plan, name: string, from: ImageShape, { channels, at }: BlockOptions): Chain {
  const residual = residualBlock(plan, name, from, channels);
  return at.includes(from[0]) ? [residual, attention(plan, `${name}.attention`, residual.map)] : [residual];
}

interface BlockOptions {
  readonly channels: number;
  /** Heights with attention. */
  readonly at: readonly number[];
}

/** The way down, of which every chain's result is kept, and the middle. */
function encoder(
  plan: Plan,
  { width, multipliers, blocks, attention: at }: UNetOptions,
  from: ImageShape,
): { readonly levels: readonly Chain[][]; readonly middle: Chain } {
  let map = from;
  const added = (chain: Chain): Chain => {
    map = chain.at(-1)!.map;
    return chain;
  };
  const levels = multipliers.map((multiplier, level) => {
    const channels = width * multiplier;
    const chains = Array.from({ length: blocks }, (_, i) =>
      added(block(plan, `down${level}.${i}`, map, { channels, at })),
    );
    if (level === multipliers.length - 1) return chains;
    const halving = convolved(plan, `down${level}.halve`, map, { channels, side: 3, stride: 2 });
    return [...chains, added([halving])];
  });
  const channels = map[2];
  const middle = [
    residualBlock(plan, "middle.0", map, channels),
    attention(plan, "middle.attention", map),
    residualBlock(plan, "middle.1", map, channels),
  ];
  return { levels, middle };
}

/** A piece of the way up, which takes from the end of what is kept. */
interface Rise {
  readonly map: ImageShape;
  apply(x: Tensor, kept: Tensor[], pass: Pass): Tensor;
}

function decoder(
  plan: Plan,
  { width, multipliers, blocks, attention: at }: UNetOptions,
  ends: { readonly levels: readonly Chain[][]; readonly from: ImageShape; readonly middle: ImageShape },
): Rise[] {
  const skips = [ends.from, ...ends.levels.flat().map((chain) => chain.at(-1)!.map)];
  const rises: Rise[] = [];
  let map = ends.middle;
  for (let level = multipliers.length - 1; level >= 0; level--) {
    const channels = width * multipliers[level]!;
    for (let i = 0; i <= blocks; i++) {
      const [height, wide, own] = map;
      const joined: ImageShape = [height, wide, own + skips.pop()![2]];
      plan.kept += joined.reduce((product, length) => product * length);
      const chain = block(plan, `up${level}.${i}`, joined, { channels, at });
      map = chain.at(-1)!.map;
      rises.push({
        map,
        apply: (x, kept, pass) => applied(chain, x.engine.concat([x, kept.pop()!], 3), pass),
      });
    }
    if (level === 0) continue;
    const larger = enlarged(plan, `up${level}.enlarge`, map);
    ({ map } = larger);
    rises.push({ map, apply: (x, _, pass) => larger.apply(x, pass) });
  }
  return rises;
}
