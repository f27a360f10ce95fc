// The block's second derivative; simd/normReluPoolSecond.cc has the formulas, in the same letters.
#include "normReluPool.h"
#include "windows.cuh"

namespace distillery::cuda {

namespace {

// Sums over the positions; those with x̂ are over x − mean at first.
struct Sums {
  float g1, gx, u1, ux, ug;
};

__device__ Sums added(Sums a, Sums b) {
  return {a.g1 + b.g1, a.gx + b.gx, a.u1 + b.u1, a.ux + b.ux, a.ug + b.ug};
}

template <typename Window>
__global__ void __launch_bounds__(kLanes* kWarps)
    doubleBackward(Block block, Moments moments, const float* slope, BlockDirection direction,
                   BlockSecondGradient gradient) {
  const Plane<Window> plane(block);
  const Norm norm(block, moments, plane);
  const auto u = [&](auto part, int k) {
    return plane.inside(part, k) ? direction.image[plane.offset(part, k)] : 0.f;
  };
  Sums sums = {};
  plane.forEachWindow([&](auto part) {
    const Values<Window> at(plane, part, norm, block.image, slope);
    for (int k = 0; k < plane.size; k++) {
      const float x = at.centered[k], g = at.g[k], v = u(part, k);
      sums = added(sums, {g, g * x, v, v * x, v * g});
    }
  });
  sums = overWarps(sums, added);

  const float share = 1.f / plane.positions(), r = norm.inverse, s = norm.steepness;
  const float a = direction.scale[plane.channel], b = direction.shift[plane.channel];
  const float gX = r * sums.gx, uX = r * sums.ux;
  const float q = sums.ug - share * (sums.u1 * sums.g1 + uX * gX);
  const float h1 = a * sums.g1 - s * share * (sums.u1 * gX + sums.g1 * uX);
  const float hX = a * gX - 2.f * s * share * uX * gX;
  // ∂S/∂g = s·u + tilt·(x − mean) + level;  ∂S/∂x = along·u + tilt·g + linear·(x − mean) + constant
  const float tilt = r * (a - s * share * uX), level = b - s * share * sums.u1;
  const float along = -r * s * share * gX, linear = -r * r * share * (hX + s * q), constant = -r * share * h1;
  if (plane.writes && threadIdx.y == 0) gradient.scale[plane.number] = r * q;

  plane.forEachWindow([&](auto part) {
    const Values<Window> at(plane, part, norm, block.image, slope);
    float w[plane.size];
    for (int k = 0; k < plane.size; k++) {
      const float x = at.centered[k], v = u(part, k);
      w[k] = v * s + x * tilt + level;
      if (!plane.inside(part, k) || !plane.writes) continue;
      gradient.image[plane.offset(part, k)] = v * along + at.g[k] * tilt + x * linear + constant;
    }
    if (part.whole && plane.writes) gradient.slope[part.pooled] = Window::pool(at.z, w);
  });
}

}  // namespace

const char* normReluPoolDoubleBackward(const Block& block, Batch batch, Moments moments, const float* slope,
                                       BlockDirection direction, BlockSecondGradient gradient) {
  return withWindow(block.pooling, [&](auto window) {
    return launch(block, batch, doubleBackward<decltype(window)>, block, moments, slope, direction, gradient);
  });
}

}  // namespace distillery::cuda
