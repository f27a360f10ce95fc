import { z } from "zod";
import { check } from "../core/errors.ts";
import type { Chosen, OptionTable } from "../core/options.ts";
import type { Rng } from "../core/rng.ts";
import { sizeOf } from "../core/shape.ts";
import type { Tensor, Tree } from "../engines/index.ts";
import { batchNorm } from "../networks/layers.ts";
import { initialTensors, type Parameters, type ParameterSpec } from "../networks/network.ts";
import { sgd } from "../optimizers/sgd.ts";
import type { Source } from "./objective.ts";

export const learnedSamplingOptions = z.strictObject({
  hidden: z
    .int()
    .min(1)
    .optional()
    .describe("Width of the two hidden layers; by default that of the embedding, as in NCFM's code"),
  draws: z
    .int()
    .min(1)
    .default(16)
    .describe(
      "Frequencies that share one σ, so that the mixture has f/draws components; at least 2 of these",
    ),
  learningRate: z
    .number()
    .positive()
    .default(1e-3)
    .describe("η of the network's ascent by SGD, one step after each step of the images; > 0"),
});

/** Whether frequencies follow the kernel's law as it is, or one that is learned. */
export const samplings = {
  fixed: { options: z.strictObject({}) },
  learned: { options: learnedSamplingOptions },
} as const satisfies OptionTable;

type LearnedSamplingOptions = z.infer<typeof learnedSamplingOptions>;

/** The frequencies of one step under a learned law, and how that law learns. */
export interface SampledFrequencies {
  /** ω, [f, d]. */
  readonly values: Tensor;
  /** Mean and standard deviation of σ over components and coordinates. */
  readonly metrics: Readonly<Record<string, number>>;
  /**
   * The network's parameters after one step uphill.
   *
   * @param slope of the loss in ω at `values`, [f, d].
   */
  ascended(slope: Tensor): Tree;
}

/**
 * A law of frequencies that is learned against the images (the sampling network ψ of NCFM, Wang et al., CVPR 2025): a scale
 * mixture of the kernel's own law, whose scales a small network makes of noise ε,
 *
 *     ω_j = σ_k ∘ z_j,  k = ⌊j/16⌋,   σ = softplus(ψ(ε))/ln 2,   ψ = tanh ∘ N ∘ A₃ ∘ λ ∘ N ∘ A₂ ∘ λ ∘ N ∘ A₁
 *
 * with z_j drawn from the kernel's law, linear maps A, batch norm N over the components and λ the leaky relu of slope 0.2.
 * Each σ is between 0.45 and 1.89, and 1 where ψ is 0, so that the learned law stays near the kernel's.
 *
 * The images go down and ψ goes up the same loss: after each step of the images, one step of SGD along its gradient in ψ.
 * The authors' code cannot do that: it adds the gradient of the loss and that of its negative, which is zero, has no z, and
 * uses 4 frequencies, 16 times each; it ships with the network turned off.
 */
export interface SamplingNetwork {
  /** Parameters of ψ before the first step. */
  begin(source: Source, rng: Rng): Tree;
  /** The frequencies of a step: rolls ε, and scales `own` draws of the kernel's law, [f, d]. */
  draw(own: Tensor, state: Tree, rng: Rng): SampledFrequencies;
}

/**
 * See the interface.
 *
 * @param frequencies f.
 * @throws InputError where there are fewer than two components, over which batch norm has nothing to compare.
 */
export function samplingNetwork(options: LearnedSamplingOptions, frequencies: number): SamplingNetwork {
  const components = Math.ceil(frequencies / options.draws);
  check(
    components > 1,
    () =>
      `sampling: expected more frequencies than the ${options.draws} that share one scale, got ${frequencies}; ` +
      "raise frequencies or lower sampling.draws",
  );
  const optimizer = sgd({ learningRate: options.learningRate, momentum: 0, weightDecay: 0 });
  return {
    begin: ({ engine, network }, rng) =>
      initialTensors(specsOf(options, network.width), engine, rng) as unknown as Tree,
    draw(own, state, rng) {
      const { engine } = own;
      const theta = state as unknown as Parameters;
      const width = own.shape[1]!;
      const noise = engine.tensor(
        [components, width],
        rng.fillNormal(new Float32Array(sizeOf([components, width]))),
      );
      const shared = engine.indices(
        Int32Array.from({ length: frequencies }, (_, j) => Math.floor(j / options.draws)),
      );
      const at = (parameters: Parameters): Tensor => scales(parameters, noise).gather(shared).mul(own); // [f, d]
      return {
        values: engine.noGrad(() => at(theta)),
        metrics: spreadOf(engine.noGrad(() => scales(theta, noise))),
        ascended(slope) {
          const { gradients } = engine.gradients((...parameters) => at(parameters).mul(slope).sum(), theta);
          return theta.map((value, i) => optimizer.update(value, gradients[i]!.neg(), null).value);
        },
      };
    },
  };
}

/** The network of a choice; none where frequencies follow the kernel's law as it is. */
export function samplingNetworkOf(
  choice: Chosen<typeof samplings>,
  frequencies: number,
): SamplingNetwork | undefined {
  return choice.name === "fixed" ? undefined : samplingNetwork(choice, frequencies);
}

/** Of three layers; without biases, which batch norm would take out. */
function specsOf({ hidden }: LearnedSamplingOptions, width: number): ParameterSpec[] {
  const widths = [width, hidden ?? width, hidden ?? width, width];
  return [1, 2, 3].flatMap((layer) => {
    const [inputs, outputs] = [widths[layer - 1]!, widths[layer]!];
    return [
      { name: `linear${layer}.weight`, shape: [outputs, inputs], initial: { fanIn: inputs } },
      { name: `norm${layer}.scale`, shape: [outputs], initial: { constant: 1 } },
      { name: `norm${layer}.shift`, shape: [outputs], initial: { constant: 0 } },
    ];
  });
}

/** Slope of the leaky relu below 0. */
const LEAK = 0.2;

/** σ of every component and coordinate, [components, d]. */
function scales(theta: Parameters, noise: Tensor): Tensor {
  const layer = (x: Tensor, first: number): Tensor => {
    const [weight, scale, shift] = theta.slice(first) as [Tensor, Tensor, Tensor];
    const linear = x.matMul(weight.transpose());
    const [rows, width] = linear.shape as [number, number];
    const normed = batchNorm(linear.reshape([rows, 1, 1, width])).output.reshape([rows, width]);
    return normed.mul(scale).add(shift);
  };
  const leaky = (x: Tensor): Tensor => x.mul(LEAK).add(x.relu().mul(1 - LEAK));
  const psi = layer(leaky(layer(leaky(layer(noise, 0)), 3)), 6).tanh();
  return psi.exp().add(1).log().div(Math.LN2);
}

function spreadOf(sigma: Tensor): Record<string, number> {
  const mean = sigma.mean().item();
  return {
    scaleMean: mean,
    scaleDeviation: Math.sqrt(sigma.sub(mean).square().mean().item()),
  };
}
