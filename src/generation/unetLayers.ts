import { check } from "../core/errors.ts";
import { type ImageShape, type Shape, sizeOf } from "../core/shape.ts";
import type { Tensor } from "../engines/index.ts";
import { normEpsilon } from "../networks/layers.ts";
import type { Parameters, ParameterSpec } from "../networks/index.ts";
import type { Dropout } from "./dropout.ts";

/** What a U-Net is being put together from: every layer adds its parameters, and what a pass through it takes. */
export interface Plan {
  readonly specs: ParameterSpec[];
  /** Shapes of one image's maps that dropout thins, in order. */
  readonly thinned: Shape[];
  /** Groups of every group norm. */
  readonly groups: number;
  /** Length of the embedding of time and class. */
  readonly embedding: number;
  /** Multiplications with additions of one image's pass. */
  products: number;
  /** Numbers that one image's pass keeps for the gradient, about. */
  kept: number;
}

/** What a pass through the network brings to every layer. */
export interface Pass {
  readonly values: Parameters;
  /** Of time and class, after a SiLU, [n, embedding]. */
  readonly condition: Tensor;
  /** Absent where nothing is dropped. */
  readonly dropout: Dropout | undefined;
}

/** A layer of a plan: the shape of its result for one image, and the function. */
export interface Layer {
  readonly map: ImageShape;
  apply(x: Tensor, pass: Pass): Tensor;
}

type Reader = (pass: Pick<Pass, "values">) => Tensor;

/** Adds a parameter to the plan; the pass has its tensor. */
export function parameter({ specs }: Plan, spec: ParameterSpec): Reader {
  const place = specs.push(spec) - 1;
  return ({ values }) => values[place]!;
}

/** x / (1 + e⁻ˣ) */
export const silu = (x: Tensor): Tensor => x.mul(x.sigmoid());

/** Results of about so many passes over a map are kept for the gradient of a norm and the SiLU after it. */
const keptByNorm = 8;

/** silu(γ · group norm + β): each group of channels of an image to mean 0 and variance 1 over its positions and channels. */
export function normSilu(plan: Plan, name: string, map: ImageShape): Layer {
  const norm = groupNorm(plan, name, map);
  return { map, apply: (x, pass) => silu(norm.apply(x, pass)) };
}

/** Group norm with a scale and a shift for each channel (Wu and He, ECCV 2018). */
export function groupNorm(plan: Plan, name: string, map: ImageShape): Layer {
  const [, , channels] = map;
  const { groups } = plan;
  check(
    channels % groups === 0,
    () =>
      `unet: expected channels that divide into ${groups} groups, got ${channels}; change width or groups`,
  );
  const scale = parameter(plan, { name: `${name}.scale`, shape: [channels], initial: { constant: 1 } });
  const shift = parameter(plan, { name: `${name}.shift`, shape: [channels], initial: { constant: 0 } });
  plan.kept += keptByNorm * sizeOf(map);
  const parts = [1, 1, groups, channels / groups];
  return {
    map,
    apply(x, pass) {
      const [n, h, w] = x.shape as [number, number, number];
      const grouped = x.reshape([n, h * w, groups, channels / groups]);
      const mean = grouped.mean([1, 3], true); // [n, 1, groups, 1]
      const variance = grouped.sub(mean).square().mean([1, 3], true);
      const gain = variance.add(normEpsilon).rsqrt().mul(scale(pass).reshape(parts));
      const offset = shift(pass).reshape(parts).sub(mean.mul(gain));
      return grouped.mul(gain).add(offset).reshape(x.shape);
    },
  };
}

interface ConvolutionOptions {
  /** Channels of the result. */
  readonly channels: number;
  /** Side of the filters: 3 or 1. */
  readonly side: number;
  readonly stride?: number;
  /** Whether filters and bias begin at 0. */
  readonly zero?: boolean;
}

/** A convolution with bias that keeps height and width, or at stride 2 halves them. */
export function convolved(plan: Plan, name: string, from: ImageShape, options: ConvolutionOptions): Layer {
  const { channels, side, stride = 1, zero = false } = options;
  const [height, width, inputs] = from;
  const map: ImageShape = [height / stride, width / stride, channels];
  const initial = zero ? { constant: 0 } : { fanIn: side * side * inputs };
  const shape = [channels, side, side, inputs];
  const weight = parameter(plan, { name: `${name}.weight`, shape, initial });
  const bias = parameter(plan, { name: `${name}.bias`, shape: [channels], initial });
  plan.products += sizeOf(map) * side * side * inputs;
  plan.kept += sizeOf(map);
  const padding = (side - 1) / 2;
  return { map, apply: (x, pass) => x.conv2d(weight(pass), { bias: bias(pass), stride, padding }) };
}

/** x Wᵀ + b of rows x [n, inputs]. */
export function linear(
  plan: Plan,
  name: string,
  { inputs, outputs, zero = false }: { readonly inputs: number; readonly outputs: number; zero?: boolean },
): (x: Tensor, pass: Pick<Pass, "values">) => Tensor {
  const initial = zero ? { constant: 0 } : { fanIn: inputs };
  const weight = parameter(plan, { name: `${name}.weight`, shape: [outputs, inputs], initial });
  const bias = parameter(plan, { name: `${name}.bias`, shape: [outputs], initial });
  return (x, pass) => x.matMul(weight(pass).transpose()).add(bias(pass));
}

/**
 * A residual block that time and class steer by a scale and a shift of each channel (FiLM):
 *
 *     conv₃(drop(silu(norm((1 + scale) · conv₃(silu(norm x)) + shift)))) + skip(x)
 *
 * The last convolution begins at 0, and the skip is x, or conv₁ x where the channels change.
 */
export function residualBlock(plan: Plan, name: string, from: ImageShape, channels: number): Layer {
  const first = normSilu(plan, `${name}.norm1`, from);
  const inner = convolved(plan, `${name}.conv1`, from, { channels, side: 3 });
  const { map } = inner;
  const film = linear(plan, `${name}.film`, { inputs: plan.embedding, outputs: 2 * channels });
  plan.products += plan.embedding * 2 * channels;
  const second = normSilu(plan, `${name}.norm2`, map);
  const site = plan.thinned.push(map) - 1;
  const outer = convolved(plan, `${name}.conv2`, map, { channels, side: 3, zero: true });
  plan.kept += 4 * sizeOf(map); // film and dropout
  const skip =
    from[2] === channels ? undefined : convolved(plan, `${name}.skip`, from, { channels, side: 1 });
  return {
    map,
    apply(x, pass) {
      const n = x.shape[0]!;
      const steered = film(pass.condition, pass); // [n, 2 channels]
      const scale = steered.slice([0, 0], [n, channels]).reshape([n, 1, 1, channels]);
      const shift = steered.slice([0, channels], [n, channels]).reshape([n, 1, 1, channels]);
      const raised = inner.apply(first.apply(x, pass), pass).mul(scale.add(1)).add(shift);
      const settled = second.apply(raised, pass);
      const thinned = pass.dropout ? pass.dropout(settled, site) : settled;
      return outer.apply(thinned, pass).add(skip ? skip.apply(x, pass) : x);
    },
  };
}

/**
 * Self-attention of one head over the positions of a map, added to it:
 *
 *     x + W softmax(q kᵀ/√c) v,   q, k, v linear in norm(x)
 *
 * W begins at 0.
 */
export function attention(plan: Plan, name: string, map: ImageShape): Layer {
  const [height, width, channels] = map;
  const positions = height * width;
  const norm = groupNorm(plan, `${name}.norm`, map);
  const project = linear(plan, `${name}.qkv`, { inputs: channels, outputs: 3 * channels });
  const out = linear(plan, `${name}.out`, { inputs: channels, outputs: channels, zero: true });
  plan.products += 4 * positions * channels ** 2 + 2 * positions ** 2 * channels;
  plan.kept += 6 * sizeOf(map) + 3 * positions ** 2;
  return {
    map,
    apply(x, pass) {
      const n = x.shape[0]!;
      const rows = norm.apply(x, pass).reshape([n * positions, channels]);
      const all = project(rows, pass).reshape([n, positions, 3 * channels]);
      const part = (i: number): Tensor => all.slice([0, 0, i * channels], [n, positions, channels]);
      const scores = part(0)
        .matMul(part(1).transpose([0, 2, 1]))
        .mul(1 / Math.sqrt(channels)); // [n, positions, positions]
      const mixed = scores
        .logSoftmax()
        .exp()
        .matMul(part(2))
        .reshape([n * positions, channels]);
      return out(mixed, pass).reshape(x.shape).add(x);
    },
  };
}

/** Every position four times, [n, 2h, 2w, c], and a convolution. */
export function enlarged(plan: Plan, name: string, [height, width, channels]: ImageShape): Layer {
  const twice: ImageShape = [2 * height, 2 * width, channels];
  plan.kept += sizeOf(twice);
  const conv = convolved(plan, name, twice, { channels, side: 3 });
  return {
    map: twice,
    apply(x, pass) {
      const n = x.shape[0]!;
      const spread = x
        .reshape([n, height, 1, width, 1, channels])
        .broadcastTo([n, height, 2, width, 2, channels])
        .reshape([n, ...twice]);
      return conv.apply(spread, pass);
    },
  };
}
