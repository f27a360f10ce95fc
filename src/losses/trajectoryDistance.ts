import { check } from "../core/errors.ts";
import type { Tensor } from "../engines/index.ts";

/**
 * How far a student ends from an expert, in units of the way that the expert went (MTT, Cazenavette et al., CVPR 2022;
 * from its code):
 *
 *     L = ‖θ_N − θ*‖² / ‖θ₀ − θ*‖²
 *
 * over all parameters together.
 *
 * @param end θ_N, the student's parameters after its steps.
 * @param start θ₀, the expert's parameters that the student starts from.
 * @param target θ*, the expert's parameters some epochs later.
 * @returns scalar ≥ 0, differentiable in `end`; 1 for a student that does not move.
 * @throws InputError where start and target are the same, or not finite.
 */
export function trajectoryDistance(
  end: readonly Tensor[],
  start: readonly Tensor[],
  target: readonly Tensor[],
): Tensor {
  const way = squaredDistance(start, target).item();
  check(
    way > 0 && Number.isFinite(way),
    () => `trajectoryDistance: expected a target away from the start, got a squared distance of ${way}`,
  );
  return squaredDistance(end, target).div(way);
}

/** ‖a − b‖² over all parameters, scalar. */
export function squaredDistance(a: readonly Tensor[], b: readonly Tensor[]): Tensor {
  return a.map((part, i) => part.sub(b[i]!).square().sum()).reduce((total, part) => total.add(part));
}
