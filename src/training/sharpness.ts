import { z } from "zod";
import { disposeExcept, type Tensor, type ValueAndGradients } from "../engines/index.ts";
import type { ParameterGradient } from "../losses/gradientDistance.ts";
import type { Network, Parameters } from "../networks/network.ts";
import { type Batch, dot, lossGradient } from "./parameterGradient.ts";

/** Options of training towards flat minima; the defaults are those of FTD's and DATM's commands. */
export const sharpnessOptions = z.strictObject({
  rho: z.number().positive().default(0.01).describe("ρ, length of the step up to where the loss is sharp"),
  alpha: z
    .number()
    .min(0)
    .default(0.3)
    .describe("α, weight of the surrogate gap: how far the loss there is above the loss itself; 0 for SAM"),
  adaptive: z
    .boolean()
    .default(true)
    .describe("Whether each parameter's part of the step up is in proportion to its square (ASAM)"),
});

/** Options of training towards flat minima. */
export type SharpnessOptions = z.infer<typeof sharpnessOptions>;

/** Keeps norms that are divided by from 0, as in the authors' code. */
const epsilon = 1e-12;

/**
 * The gradient of adaptive GSAM (Zhuang et al., ICLR 2022, with the adaptive step of ASAM, Kwon et al., ICML 2021), as FTD
 * trains experts by it (Du et al., CVPR 2023; from its code):
 *
 *     g₀ = ∇f(θ),   ε = ρ θ²g₀ / (‖θg₀‖ + 10⁻¹²),   g₁ = ∇f(θ + ε)
 *     g = g₁ − α (g₀ − cos φ ‖g₀‖ g₁ / (‖g₁‖ + 10⁻¹²)),   cos φ = ⟨g₀, g₁⟩ / (‖g₀‖ ‖g₁‖ + 10⁻¹²)
 *
 * with f the mean cross-entropy on the batch, products element by element, and norms over all parameters together. Without
 * `adaptive`, ε = ρ g₀ / (‖g₀‖ + 10⁻¹²). Running statistics of batch norm follow the pass at θ alone.
 *
 * @returns f(θ) and g, as constants.
 */
export function sharpnessGradient(
  network: Network,
  theta: Parameters,
  batch: Batch,
  options: SharpnessOptions,
): ValueAndGradients {
  const { engine } = batch.images;
  const { value, gradients: plain } = lossGradient(network, theta, batch);
  const again = { images: batch.images, labels: batch.labels, ...modeAgain(batch) };
  const gradients = engine.scope(() =>
    engine.noGrad(() => {
      const up = climbed(theta, plain, options);
      const sharp = lossGradient(network, up, again).gradients;
      return withoutGap(plain, sharp, options.alpha);
    }),
  );
  disposeExcept(plain, null);
  return { value, gradients };
}

/** θ + ε. */
function climbed(
  theta: Parameters,
  gradient: ParameterGradient,
  { rho, adaptive }: SharpnessOptions,
): Parameters {
  const scaled = adaptive ? theta.map((x, i) => x.mul(gradient[i]!)) : gradient;
  const length = norm(scaled).add(epsilon);
  return theta.map((x, i) => {
    const direction = adaptive ? x.mul(scaled[i]!) : scaled[i]!;
    return x.add(direction.div(length).mul(rho));
  });
}

/** g₁ − α (g₀ − cos φ ‖g₀‖ g₁ / ‖g₁‖): of g₀, the part across g₁ is gone against. */
function withoutGap(plain: ParameterGradient, sharp: ParameterGradient, alpha: number): ParameterGradient {
  const [plainLength, sharpLength] = [norm(plain), norm(sharp)];
  const cosine = dot(plain, sharp).div(plainLength.mul(sharpLength).add(epsilon));
  const along = cosine.mul(plainLength).div(sharpLength.add(epsilon));
  return sharp.map((one, i) => one.sub(plain[i]!.sub(one.mul(along)).mul(alpha)));
}

/** ‖g‖ over all parameters, a scalar on the device. */
function norm(gradient: ParameterGradient): Tensor {
  return dot(gradient, gradient).sqrt();
}

/** How the second pass normalizes: as the first, which alone updates statistics. */
function modeAgain({ mode }: Batch): Pick<Batch, "mode"> {
  if (mode?.use !== "batch") return mode ? { mode } : {};
  return { mode: { use: "batch" } };
}
