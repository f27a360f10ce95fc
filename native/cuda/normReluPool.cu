// The block and its gradient. Memory traffic is what counts: forward reads the image twice and writes the result, backward
// reads image and slope twice and writes the gradient. Between the two readings, a thread block's part of the image
// (128 KiB at 32×32 positions) can stay in the caches.
#include "normReluPool.h"

#include "windows.cuh"

namespace distillery::cuda {

namespace {

// `count` numbers, by their mean and the sum of their squared distances from it.
struct Sample {
  float count, mean, squares;
};

// Two samples as one (Chan, Golub & LeVeque 1983). Adding numbers one by one this way loses no digits to a mean far from
// zero.
__device__ Sample joined(Sample a, Sample b) {
  const float count = a.count + b.count;
  if (count == 0.f) return a;
  const float distance = b.mean - a.mean, share = b.count / count;
  return {count, a.mean + distance * share, a.squares + b.squares + distance * distance * a.count * share};
}

template <typename Window>
__global__ void __launch_bounds__(kLanes* kWarps)
    forward(Block block, float epsilon, Moments moments, float* pooled) {
  const Plane<Window> plane(block);
  Sample sample = {};
  for (int position = threadIdx.y; position < plane.positions(); position += kWarps) {
    sample = joined(sample, {1.f, block.image[plane.pixels + position * plane.channels], 0.f});
  }
  sample = overWarps(sample, joined);
  const float mean = sample.mean, inverse = 1.f / sqrtf(sample.squares / sample.count + epsilon);
  if (plane.writes && threadIdx.y == 0) {
    moments.mean[plane.number] = mean;
    moments.inverse[plane.number] = inverse;
  }

  const float steepness = inverse * block.scale[plane.channel], shift = block.shift[plane.channel];
  plane.forEachWindow([&](auto part) {
    if (!part.whole || !plane.writes) return;
    float z[plane.size];
    for (int k = 0; k < plane.size; k++) {
      z[k] = (block.image[plane.offset(part, k)] - mean) * steepness + shift;
    }
    pooled[part.pooled] = Window::pool(z, z);
  });
}

// simd/normReluPool.cc has the formulas.
template <typename Window>
__global__ void __launch_bounds__(kLanes* kWarps)
    backward(Block block, Moments moments, const float* slope, BlockGradient gradient) {
  const Plane<Window> plane(block);
  const Norm norm(block, moments, plane);
  struct Sums {
    float g, product;
  };
  Sums sums = {};  // Σ g and Σ g·(x − mean)
  plane.forEachWindow([&](auto part) {
    const Values<Window> at(plane, part, norm, block.image, slope);
    for (int k = 0; k < plane.size; k++) {
      sums.g += at.g[k];
      sums.product += at.g[k] * at.centered[k];
    }
  });
  sums = overWarps(sums, [](Sums a, Sums b) { return Sums{a.g + b.g, a.product + b.product}; });
  const float product = sums.product * norm.inverse;  // Σ g·x̂
  if (plane.writes && threadIdx.y == 0) {
    gradient.shift[plane.number] = sums.g;
    gradient.scale[plane.number] = product;
  }

  const float share = 1.f / plane.positions();
  const float constant = -norm.steepness * sums.g * share;
  const float linear = -norm.steepness * norm.inverse * product * share;
  plane.forEachWindow([&](auto part) {
    const Values<Window> at(plane, part, norm, block.image, slope);
    for (int k = 0; k < plane.size; k++) {
      if (!plane.inside(part, k) || !plane.writes) continue;
      gradient.image[plane.offset(part, k)] = at.g[k] * norm.steepness + at.centered[k] * linear + constant;
    }
  });
}

}  // namespace

const char* normReluPool(const Block& block, Batch batch, float epsilon, Moments moments, float* pooled) {
  return withWindow(block.pooling, [&](auto window) {
    return launch(block, batch, forward<decltype(window)>, block, epsilon, moments, pooled);
  });
}

const char* normReluPoolBackward(const Block& block, Batch batch, Moments moments, const float* slope,
                                 BlockGradient gradient) {
  return withWindow(block.pooling, [&](auto window) {
    return launch(block, batch, backward<decltype(window)>, block, moments, slope, gradient);
  });
}

const char* normReluPoolProblem() {
  cudaFuncAttributes attributes;
  const cudaError_t error = cudaFuncGetAttributes(&attributes, forward<Window<Pooling::average>>);
  cudaGetLastError();  // else the next launch would report it again
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

}  // namespace distillery::cuda
