// An image of a ConvNet's block (32·32·128 floats are 512 KiB) stays in the second-level cache, so that the passes
// below read memory once; one operation after another would read and write it six times.
#include "normReluPool.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "windows.h"

namespace distillery {

namespace {

using namespace windows;

// Sum of map(value, channel) over all positions: four at a time, and in runs of 64 whose sums are added up. Shorter
// chains of additions have smaller rounding errors.
template <typename Map>
void sumOverPositions(const Block& block, float* sum, Map map) {
  constexpr int64_t kRun = 64;
  const int64_t channels = block.channels, positions = block.height * block.width;
  std::vector<float> part(channels);
  float* runSum = part.data();
  std::fill(sum, sum + channels, 0.f);
  for (int64_t first = 0; first < positions; first += kRun) {
    Block run = block;
    run.image += first * channels;
    run.height = 1;
    run.width = std::min(kRun, positions - first);
    std::fill(runSum, runSum + channels, 0.f);
    forEachWindow(None(), run, [=](auto at, int64_t offset, int64_t) {
      const float* x = run.image + offset;
      prefetch(x, at, channels);
      forEachChannel(channels, [=](int64_t c) { runSum[c] += total(map(load(x + c, at), c)); });
    });
    forEachChannel(channels, [=](int64_t c) { sum[c] += runSum[c]; });
  }
}

template <typename Pool>
void forward(const Block& block, float epsilon, Moments moments, float* pooled) {
  const int64_t channels = block.channels;
  const float share = 1.f / static_cast<float>(block.height * block.width);
  const float* image = block.image;
  const float* shift = block.shift;
  float* mean = moments.mean;
  float* inverse = moments.inverse;
  std::vector<float> factors(channels);
  float* steepness = factors.data();  // scale·inverse

  sumOverPositions(block, mean, [](auto x, int64_t) { return x; });
  forEachChannel(channels, [=](int64_t c) { mean[c] *= share; });

  sumOverPositions(block, inverse, [mean](auto x, int64_t c) { return (x - mean[c]) * (x - mean[c]); });
  forEachChannel(channels, [=](int64_t c) {
    inverse[c] = 1.f / std::sqrt(inverse[c] * share + epsilon);
    steepness[c] = inverse[c] * block.scale[c];
  });

  forEachWindow(Pool(), block, [=](auto at, int64_t offset, int64_t target) {
    const float* x = image + offset;
    float* out = pooled + target;
    forEachChannel(channels, [=](int64_t c) {
      const auto z = (load(x + c, at) - mean[c]) * steepness[c] + shift[c];
      pool(Pool(), z, z, out + c, at);
    });
  });
}

// With x̂ = (x − mean)·inverse, z = scale·x̂ + shift and g = ∂L/∂z:
//
//     ∂L/∂shift = Σ g,   ∂L/∂scale = Σ g·x̂,   ∂L/∂x = scale·inverse·(g − (Σ g)/P − x̂·(Σ g·x̂)/P)
//
// over the P positions. Dropped positions have g = 0 but share in mean and variance.
template <typename Pool>
void backward(const Block& block, Moments moments, const float* slope, BlockGradient gradient) {
  const int64_t channels = block.channels;
  const float share = 1.f / static_cast<float>(block.height * block.width);
  const float* image = block.image;
  const float* shift = block.shift;
  const float* mean = moments.mean;
  const float* inverse = moments.inverse;
  float* sum = gradient.shift;      // Σ g
  float* product = gradient.scale;  // Σ g·(x − mean), later Σ g·x̂
  std::vector<float> factors(3 * channels);
  float* steepness = factors.data();              // scale·inverse
  float* constant = factors.data() + channels;    // −scale·inverse·(Σ g)/P
  float* linear = factors.data() + 2 * channels;  // −scale·inverse²·(Σ g·x̂)/P

  std::fill(sum, sum + channels, 0.f);
  std::fill(product, product + channels, 0.f);
  forEachChannel(channels, [=](int64_t c) { steepness[c] = block.scale[c] * inverse[c]; });

  forEachWindow(Pool(), block, [=](auto at, int64_t offset, int64_t source) {
    const float* x = image + offset;
    const float* t = slope + source;
    prefetch(x, at, channels);
    forEachChannel(channels, [=](int64_t c) {
      const auto centered = load(x + c, at) - mean[c];
      const auto g = spread(Pool(), centered * steepness[c] + shift[c], t + c, at);
      sum[c] += total(g);
      product[c] += total(g * centered);
    });
  });
  forEachChannel(channels, [=](int64_t c) {
    product[c] *= inverse[c];
    constant[c] = -steepness[c] * sum[c] * share;
    linear[c] = -steepness[c] * inverse[c] * product[c] * share;
  });

  float* out = gradient.image;
  forEachWindow(Pool(), block, [=](auto at, int64_t offset, int64_t source) {
    const float* x = image + offset;
    const float* t = slope + source;
    float* dx = out + offset;
    forEachChannel(channels, [=](int64_t c) {
      const auto centered = load(x + c, at) - mean[c];
      const auto g = spread(Pool(), centered * steepness[c] + shift[c], t + c, at);
      store(g * steepness[c] + centered * linear[c] + constant[c], dx + c, at);
    });
  });
}

}  // namespace

void normReluPool(const Block& block, float epsilon, Moments moments, float* pooled) {
  withPool(block.pooling, [&](auto pool) { forward<decltype(pool)>(block, epsilon, moments, pooled); });
}

void normReluPoolBackward(const Block& block, Moments moments, const float* slope, BlockGradient gradient) {
  withPool(block.pooling, [&](auto pool) { backward<decltype(pool)>(block, moments, slope, gradient); });
}

}  // namespace distillery
