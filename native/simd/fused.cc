// An image of a ConvNet's block (32·32·128 floats are 512 KiB) stays in the second-level cache, so that the passes
// below read memory once; one operation after another would read and write it six times.
//
// Each inner loop runs over channels, which are adjacent. Comparisons are written so that NaN is not caught by them:
// it passes ReLU as NaN.
#include "fused.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace distillery {

namespace {

// Sum of map(value, channel) over all positions. Four at a time: shorter chains of additions, smaller rounding errors.
template <typename Map>
void sumOverPositions(const Block& block, float* __restrict sum, Map map) {
  const int64_t channels = block.channels, positions = block.height * block.width;
  std::fill(sum, sum + channels, 0.f);
  int64_t position = 0;
  for (; position + 4 <= positions; position += 4) {
    const float* __restrict x = block.image + position * channels;
#pragma omp simd
    for (int64_t c = 0; c < channels; c++) {
      sum[c] += (map(x[c], c) + map(x[c + channels], c)) + (map(x[c + 2 * channels], c) + map(x[c + 3 * channels], c));
    }
  }
  for (; position < positions; position++) {
    const float* __restrict x = block.image + position * channels;
#pragma omp simd
    for (int64_t c = 0; c < channels; c++) sum[c] += map(x[c], c);
  }
}

// Calls visit(offset of the window's upper left value, offset of its pooled value) for every 2×2 window.
template <typename Visit>
void forEachWindow(const Block& block, Visit visit) {
  const int64_t channels = block.channels, rows = block.height / 2, columns = block.width / 2;
  for (int64_t row = 0; row < rows; row++) {
    for (int64_t column = 0; column < columns; column++) {
      visit((2 * row * block.width + 2 * column) * channels, (row * columns + column) * channels);
    }
  }
}

// Calls visit(offset) for every position that pooling drops: the last column of an odd width, the last row of an odd
// height.
template <typename Visit>
void forEachDropped(const Block& block, Visit visit) {
  const int64_t channels = block.channels, evenHeight = block.height / 2 * 2, evenWidth = block.width / 2 * 2;
  for (int64_t row = 0; row < block.height; row++) {
    for (int64_t column = row < evenHeight ? evenWidth : 0; column < block.width; column++) {
      visit((row * block.width + column) * channels);
    }
  }
}

inline float relu(float z) { return z <= 0.f ? 0.f : z; }

// ReLU's slope at z, times t.
inline float gate(float z, float t) { return z <= 0.f ? 0.f : t; }

}  // namespace

void normalizeReluPool(const Block& block, float epsilon, Moments moments, float* pooled) {
  const int64_t channels = block.channels, below = block.width * channels;
  const float share = 1.f / static_cast<float>(block.height * block.width);
  float* __restrict mean = moments.mean;
  float* __restrict inverse = moments.inverse;
  const float* __restrict shift = block.shift;
  std::vector<float> slopes(channels);
  float* __restrict slope = slopes.data();

  sumOverPositions(block, mean, [](float x, int64_t) { return x; });
#pragma omp simd
  for (int64_t c = 0; c < channels; c++) mean[c] *= share;

  sumOverPositions(block, inverse, [mean](float x, int64_t c) { return (x - mean[c]) * (x - mean[c]); });
#pragma omp simd
  for (int64_t c = 0; c < channels; c++) {
    inverse[c] = 1.f / std::sqrt(inverse[c] * share + epsilon);
    slope[c] = inverse[c] * block.scale[c];
  }

  forEachWindow(block, [=, &block](int64_t corner, int64_t target) {
    const float* __restrict upper = block.image + corner;
    const float* __restrict lower = upper + below;
    float* __restrict out = pooled + target;
#pragma omp simd
    for (int64_t c = 0; c < channels; c++) {
      const float a = relu((upper[c] - mean[c]) * slope[c] + shift[c]);
      const float b = relu((upper[c + channels] - mean[c]) * slope[c] + shift[c]);
      const float d = relu((lower[c] - mean[c]) * slope[c] + shift[c]);
      const float e = relu((lower[c + channels] - mean[c]) * slope[c] + shift[c]);
      out[c] = 0.25f * ((a + b) + (d + e));
    }
  });
}

// With x̂ = (x − mean)·inverse, z = scale·x̂ + shift and g = ∂L/∂z (a quarter of the window's slope where z > 0):
//
//     ∂L/∂shift = Σ g,   ∂L/∂scale = Σ g·x̂,   ∂L/∂x = scale·inverse·(g − (Σ g)/P − x̂·(Σ g·x̂)/P)
//
// over the P positions. Dropped positions have g = 0 but share in mean and variance.
void normalizeReluPoolGradient(const Block& block, Moments moments, const float* slope, BlockGradient gradient) {
  const int64_t channels = block.channels, below = block.width * channels;
  const float share = 1.f / static_cast<float>(block.height * block.width);
  const float* __restrict mean = moments.mean;
  const float* __restrict inverse = moments.inverse;
  const float* __restrict shift = block.shift;
  float* __restrict sum = gradient.shift;       // Σ g
  float* __restrict product = gradient.scale;   // Σ g·x̂
  std::vector<float> factors(3 * channels);
  float* __restrict steepness = factors.data();             // scale·inverse
  float* __restrict constant = factors.data() + channels;   // −scale·inverse·(Σ g)/P
  float* __restrict linear = factors.data() + 2 * channels; // −scale·inverse²·(Σ g·x̂)/P

  std::fill(sum, sum + channels, 0.f);
  std::fill(product, product + channels, 0.f);
#pragma omp simd
  for (int64_t c = 0; c < channels; c++) steepness[c] = block.scale[c] * inverse[c];

  forEachWindow(block, [=, &block](int64_t corner, int64_t source) {
    const float* __restrict upper = block.image + corner;
    const float* __restrict lower = upper + below;
    const float* __restrict above = slope + source;
#pragma omp simd
    for (int64_t c = 0; c < channels; c++) {
      const float t = 0.25f * above[c];
      const float xa = upper[c] - mean[c], xb = upper[c + channels] - mean[c];
      const float xd = lower[c] - mean[c], xe = lower[c + channels] - mean[c];
      const float ga = gate(xa * steepness[c] + shift[c], t), gb = gate(xb * steepness[c] + shift[c], t);
      const float gd = gate(xd * steepness[c] + shift[c], t), ge = gate(xe * steepness[c] + shift[c], t);
      sum[c] += (ga + gb) + (gd + ge);
      product[c] += (ga * xa + gb * xb) + (gd * xd + ge * xe);
    }
  });
#pragma omp simd
  for (int64_t c = 0; c < channels; c++) {
    product[c] *= inverse[c];
    constant[c] = -steepness[c] * sum[c] * share;
    linear[c] = -steepness[c] * inverse[c] * product[c] * share;
  }

  forEachWindow(block, [=, &block](int64_t corner, int64_t source) {
    const float* __restrict upper = block.image + corner;
    const float* __restrict lower = upper + below;
    const float* __restrict above = slope + source;
    float* __restrict upperOut = gradient.image + corner;
    float* __restrict lowerOut = upperOut + below;
#pragma omp simd
    for (int64_t c = 0; c < channels; c++) {
      const float t = 0.25f * above[c] * steepness[c];
      const float xa = upper[c] - mean[c], xb = upper[c + channels] - mean[c];
      const float xd = lower[c] - mean[c], xe = lower[c + channels] - mean[c];
      upperOut[c] = gate(xa * steepness[c] + shift[c], t) + (constant[c] + linear[c] * xa);
      upperOut[c + channels] = gate(xb * steepness[c] + shift[c], t) + (constant[c] + linear[c] * xb);
      lowerOut[c] = gate(xd * steepness[c] + shift[c], t) + (constant[c] + linear[c] * xd);
      lowerOut[c + channels] = gate(xe * steepness[c] + shift[c], t) + (constant[c] + linear[c] * xe);
    }
  });
  forEachDropped(block, [=, &block](int64_t offset) {
    const float* __restrict x = block.image + offset;
    float* __restrict out = gradient.image + offset;
#pragma omp simd
    for (int64_t c = 0; c < channels; c++) out[c] = constant[c] + linear[c] * (x[c] - mean[c]);
  });
}

}  // namespace distillery
