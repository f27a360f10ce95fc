import { expect } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { sizeOf } from "../../src/core/shape.ts";
import type { Engine, Tensor } from "../../src/engines/index.ts";
import { crossEntropy } from "../../src/losses/crossEntropy.ts";
import { initialTensors, type Network, type Parameters } from "../../src/networks/index.ts";

/** Fresh parameters of a network. */
export function parametersOf(engine: Engine, network: Network): Tensor[] {
  return initialTensors(network.parameters, engine, seeded(1));
}

/** Normal images for a network. */
export function normalImages(engine: Engine, network: Network, count: number, seed = 5): Tensor {
  const shape = [count, ...network.imageShape];
  return engine.tensor(shape, seeded(seed).fillNormal(new Float64Array(sizeOf(shape))));
}

/** So small a step that no unit of a network passes 0 on the way. */
const h = 1e-8;

/** Expects the cross-entropy's gradient in the parameters along a random direction to be that of central differences. */
export function expectParameterGradient(engine: Engine, network: Network): void {
  const parameters = parametersOf(engine, network);
  const images = normalImages(engine, network, 2);
  const loss = (theta: Parameters): Tensor => crossEntropy(network.logits(theta, images), labels);
  const { gradients } = engine.gradients((...theta) => loss(theta), parameters);
  const directions = parameters.map(({ shape }, i) =>
    engine.tensor(shape, seeded(i).fillNormal(new Float64Array(sizeOf(shape)))),
  );
  const slope = gradients.reduce((sum, one, i) => sum + one.mul(directions[i]!).sum().item(), 0);
  const at = (step: number): number =>
    loss(parameters.map((one, i) => one.add(directions[i]!.mul(step)))).item();
  expectSlope(slope, at);
}

/**
 * Expects the gradient of ‖∇_θ CE‖² in the images, what gradient matching differentiates, to be that of central differences.
 */
export function expectSecondOrder(engine: Engine, network: Network): void {
  const parameters = parametersOf(engine, network);
  const images = normalImages(engine, network, 2);
  const squaredNorm = (x: Tensor): Tensor =>
    engine
      .gradients((...theta) => crossEntropy(network.logits(theta, x), labels), parameters)
      .gradients.map((gradient) => gradient.square().sum())
      .reduce((sum, part) => sum.add(part));
  const { gradients } = engine.gradients((x) => squaredNorm(x!), [images]);
  const direction = normalImages(engine, network, 2, 6);
  const slope = gradients[0]!.mul(direction).sum().item();
  expectSlope(slope, (step) => squaredNorm(images.add(direction.mul(step))).item());
}

/**
 * Expects the Hessian of the cross-entropy in the parameters along two random directions, what trajectory matching goes
 * back by, to be that of central differences of the gradient.
 */
export function expectHessian(engine: Engine, network: Network): void {
  const parameters = parametersOf(engine, network);
  const images = normalImages(engine, network, 2);
  const direction = (name: string): Tensor[] =>
    parameters.map(({ shape }, i) =>
      engine.tensor(
        shape,
        seeded(i)
          .stream(name)
          .fillNormal(new Float64Array(sizeOf(shape))),
      ),
    );
  const [v, w] = [direction("v"), direction("w")];
  const along = (parts: readonly Tensor[], towards: Parameters): Tensor =>
    parts.map((part, i) => part.mul(towards[i]!).sum()).reduce((sum, part) => sum.add(part));
  const slope = (theta: Parameters): Tensor =>
    along(engine.gradients((...at) => crossEntropy(network.logits(at, images), labels), theta).gradients, v);
  const { gradients } = engine.gradients((...theta) => slope(theta), parameters);
  expectSlope(along(gradients, w).item(), (step) =>
    slope(parameters.map((one, i) => one.add(w[i]!.mul(step)))).item(),
  );
}

const labels = Int32Array.of(0, 1);

function expectSlope(slope: number, at: (step: number) => number): void {
  expect(Math.abs(slope)).toBeGreaterThan(1e-6);
  const difference = (at(h) - at(-h)) / (2 * h);
  expect(Math.abs(difference - slope)).toBeLessThan(1e-5 * Math.max(1, Math.abs(slope)));
}
