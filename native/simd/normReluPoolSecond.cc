// The second derivative of instance norm, ReLU and pooling. Like the first, it reads memory once: an image's second
// pass finds it in a cache.
#include <vector>

#include "normReluPool.h"
#include "windows.h"

namespace distillery {

namespace {

using namespace windows;

// Gradient of S = ⟨u, ∂L/∂x⟩ + ⟨a, ∂L/∂scale⟩ + ⟨b, ∂L/∂shift⟩ with respect to x, scale and the slope that g is spread
// from. With ⟨·⟩ for sums over the positions, γ for scale and r for inverse, ReLU's and the maxima's choices constant:
//
//     S = γr·q + a⟨g x̂⟩ + b⟨g⟩,   q = ⟨u g⟩ − ⟨u⟩⟨g⟩/P − ⟨u x̂⟩⟨g x̂⟩/P
//     ∂S/∂scale = r·q
//     ∂S/∂g = γr·(u − ⟨u⟩/P − x̂⟨u x̂⟩/P) + a·x̂ + b, which is z's derivative along (u, a, b), and is pooled like it
//     ∂S/∂x̂ = h = (a − γr⟨u x̂⟩/P)·g − γr⟨g x̂⟩/P·u   at constant r
//     ∂S/∂r = γ·q   at constant x̂
//
// and from ∂x̂/∂x and ∂r/∂xₚ = −r²·x̂ₚ/P, with ⟨h⟩ and ⟨h x̂⟩ by the sums above:
//
//     ∂S/∂x = r·(h − ⟨h⟩/P − x̂·(⟨h x̂⟩ + γr·q)/P)
//     ⟨h⟩ = a⟨g⟩ − γr·(⟨u⟩⟨g x̂⟩ + ⟨g⟩⟨u x̂⟩)/P,   ⟨h x̂⟩ = a⟨g x̂⟩ − 2γr⟨u x̂⟩⟨g x̂⟩/P
template <typename Pool>
void doubleBackward(const Block& block, Moments moments, const float* slope, BlockDirection direction,
                    BlockSecondGradient gradient) {
  const int64_t channels = block.channels;
  const float share = 1.f / static_cast<float>(block.height * block.width);
  const float* image = block.image;
  const float* shift = block.shift;
  const float* mean = moments.mean;
  const float* inverse = moments.inverse;
  const float* u = direction.image;
  // Sums; those with x̂ are over x − mean at first.
  std::vector<float> numbers(11 * channels, 0.f);
  float* g1 = numbers.data();   // ⟨g⟩
  float* gx = g1 + channels;    // ⟨g x̂⟩
  float* u1 = gx + channels;    // ⟨u⟩
  float* ux = u1 + channels;    // ⟨u x̂⟩
  float* ug = ux + channels;    // ⟨u g⟩
  // Factors: w = γr·u + tilt·(x − mean) + level is ∂S/∂g; ∂S/∂x = along·u + tilt·g + linear·(x − mean) + constant.
  float* steepness = ug + channels;  // γr
  float* tilt = steepness + channels;
  float* level = tilt + channels;
  float* along = level + channels;
  float* linear = along + channels;
  float* constant = linear + channels;

  forEachChannel(channels, [=](int64_t c) { steepness[c] = block.scale[c] * inverse[c]; });
  forEachWindow(Pool(), block, [=](auto at, int64_t offset, int64_t source) {
    const float* x = image + offset;
    const float* v = u + offset;
    const float* t = slope + source;
    prefetch(x, at, channels);
    prefetch(v, at, channels);
    forEachChannel(channels, [=](int64_t c) {
      const auto centered = load(x + c, at) - mean[c];
      const auto g = spread(Pool(), centered * steepness[c] + shift[c], t + c, at);
      const auto cotangent = load(v + c, at);
      g1[c] += total(g);
      gx[c] += total(g * centered);
      u1[c] += total(cotangent);
      ux[c] += total(cotangent * centered);
      ug[c] += total(cotangent * g);
    });
  });
  forEachChannel(channels, [=](int64_t c) {
    const float a = direction.scale[c], b = direction.shift[c], r = inverse[c], s = steepness[c];
    const float gX = r * gx[c], uX = r * ux[c];
    const float q = ug[c] - share * (u1[c] * g1[c] + uX * gX);
    const float h1 = a * g1[c] - s * share * (u1[c] * gX + g1[c] * uX);
    const float hX = a * gX - 2.f * s * share * uX * gX;
    gradient.scale[c] = r * q;
    tilt[c] = r * (a - s * share * uX);
    level[c] = b - s * share * u1[c];
    along[c] = -r * s * share * gX;
    constant[c] = -r * share * h1;
    linear[c] = -r * r * share * (hX + s * q);
  });

  forEachWindow(Pool(), block, [=](auto at, int64_t offset, int64_t source) {
    const float* x = image + offset;
    const float* v = u + offset;
    const float* t = slope + source;
    float* dx = gradient.image + offset;
    float* dt = gradient.slope + source;
    forEachChannel(channels, [=](int64_t c) {
      const auto centered = load(x + c, at) - mean[c];
      const auto z = centered * steepness[c] + shift[c];
      const auto g = spread(Pool(), z, t + c, at);
      const auto cotangent = load(v + c, at);
      store(cotangent * along[c] + g * tilt[c] + centered * linear[c] + constant[c], dx + c, at);
      pool(Pool(), z, cotangent * steepness[c] + centered * tilt[c] + level[c], dt + c, at);
    });
  });
}

}  // namespace

void normReluPoolDoubleBackward(const Block& block, Moments moments, const float* slope, BlockDirection direction,
                                BlockSecondGradient gradient) {
  withPool(block.pooling,
           [&](auto pool) { doubleBackward<decltype(pool)>(block, moments, slope, direction, gradient); });
}

}  // namespace distillery
