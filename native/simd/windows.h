// Loops over an image's pooling windows, and ReLU with pooling and their derivative for the values of one window.
//
// Comparisons are written so that NaN is not caught by them: it passes ReLU and maxima as NaN.
#pragma once

#include <cstdint>

#include "normReluPool.h"

namespace distillery::windows {

// The values of one channel at four positions, or at one.
struct Four {
  float first, second, third, fourth;
};
using One = float;

inline Four operator+(Four v, Four w) {
  return {v.first + w.first, v.second + w.second, v.third + w.third, v.fourth + w.fourth};
}
inline Four operator*(Four v, Four w) {
  return {v.first * w.first, v.second * w.second, v.third * w.third, v.fourth * w.fourth};
}
inline Four all(float s) { return {s, s, s, s}; }
inline Four operator+(Four v, float s) { return v + all(s); }
inline Four operator-(Four v, float s) { return v + all(-s); }
inline Four operator*(Four v, float s) { return v * all(s); }
inline float total(Four v) { return (v.first + v.second) + (v.third + v.fourth); }
inline float total(One v) { return v; }

// Distances of four positions from the first of them, and of the next window; for one position there is nothing to say.
struct FourAt {
  int64_t second, third, fourth, next;
};
struct OneAt {};

inline Four load(const float* x, FourAt at) { return {x[0], x[at.second], x[at.third], x[at.fourth]}; }
inline One load(const float* x, OneAt) { return x[0]; }
inline void store(Four v, float* x, FourAt at) {
  x[0] = v.first;
  x[at.second] = v.second;
  x[at.third] = v.third;
  x[at.fourth] = v.fourth;
}
inline void store(One v, float* x, OneAt) { x[0] = v; }

// Asks memory for a window some windows ahead, position after position, into the second-level cache. The loops below
// visit four positions at a time, a pattern at which the CPU's own prefetching reaches half of memory's speed.
inline void prefetch(const float* x, FourAt at, int64_t channels) {
  constexpr int64_t kWindowsAhead = 4, kCacheLine = 64 / sizeof(float);
  constexpr int kReading = 0, kSecondLevel = 2;
  for (const int64_t position : {int64_t{0}, at.second, at.third, at.fourth}) {
    const float* ahead = x + kWindowsAhead * at.next + position;
    for (int64_t c = 0; c < channels; c += kCacheLine) __builtin_prefetch(ahead + c, kReading, kSecondLevel);
  }
}
inline void prefetch(const float*, OneAt, int64_t) {}

// ReLU's slope at z, times w. Times z it is ReLU itself.
inline float gate(float z, float w) { return z <= 0.f ? 0.f : w; }
inline Four gate(Four z, Four w) {
  return {gate(z.first, w.first), gate(z.second, w.second), gate(z.third, w.third), gate(z.fourth, w.fourth)};
}

// Pooling of ReLU is linear in z near almost every z, and homogeneous. Each kind below gives that linear map, taken at
// z, and its adjoint:
//
//     pool     w at the positions → pooled: the derivative along w; along z it is the pooled ReLU itself
//     spread   slope with respect to pooled → slope with respect to z
//
// 2×2 windows are visited four positions at a time; single positions are those that pooling drops.
struct Average {};
struct Maximum {};
struct None {};

inline void pool(Average, Four z, Four w, float* pooled, FourAt) { *pooled = 0.25f * total(gate(z, w)); }
inline Four spread(Average, Four z, const float* slope, FourAt) { return gate(z, all(0.25f * *slope)); }

inline bool isNumber(float x) { return x == x; }

// Where a window has its first maximum, by rows; NaN counts as one. Written on z's own members and with `&`, else GCC
// makes no vector code of it.
struct Peak {
  bool right, lowerRight;  // within the upper and the lower row
  bool below;              // in the lower row
  float z;
};
inline Peak peak(Four z) {
  const bool right = !(z.second <= z.first) & isNumber(z.first);
  const bool lowerRight = !(z.fourth <= z.third) & isNumber(z.third);
  const float upper = right ? z.second : z.first, lower = lowerRight ? z.fourth : z.third;
  const bool below = !(lower <= upper) & isNumber(z.first) & isNumber(z.second);
  return {right, lowerRight, below, below ? lower : upper};
}

inline void pool(Maximum, Four z, Four w, float* pooled, FourAt) {
  const Peak at = peak(z);
  const float upper = at.right ? w.second : w.first, lower = at.lowerRight ? w.fourth : w.third;
  *pooled = gate(at.z, at.below ? lower : upper);
}
inline Four spread(Maximum, Four z, const float* slope, FourAt) {
  const Peak at = peak(z);
  const float g = gate(at.z, *slope), upper = at.below ? 0.f : g, lower = at.below ? g : 0.f;
  return {at.right ? 0.f : upper, at.right ? upper : 0.f, at.lowerRight ? 0.f : lower, at.lowerRight ? lower : 0.f};
}

inline void pool(None, Four z, Four w, float* pooled, FourAt at) { store(gate(z, w), pooled, at); }
inline void pool(None, One z, One w, float* pooled, OneAt at) { store(gate(z, w), pooled, at); }
inline Four spread(None, Four z, const float* slope, FourAt at) { return gate(z, load(slope, at)); }
inline One spread(None, One z, const float* slope, OneAt at) { return gate(z, load(slope, at)); }

// Positions that the windows leave over are dropped.
template <typename Pool>
void pool(Pool, One, One, float*, OneAt) {}
template <typename Pool>
One spread(Pool, One, const float*, OneAt) {
  return 0.f;
}

// Calls visit(c) for every channel, as vector code. The body must be a function of its own: GCC keeps structs that are
// declared inside an `omp simd` loop in memory.
template <typename Visit>
void forEachChannel(int64_t channels, Visit visit) {
#pragma omp simd
  for (int64_t c = 0; c < channels; c++) visit(c);
}

// Calls visit(at, offset of the first position, offset of its pooled value) for all positions, four or one at a time.
template <typename Visit>
void forEachWindow(None, const Block& block, Visit visit) {
  const int64_t channels = block.channels, positions = block.height * block.width;
  const FourAt window = {channels, 2 * channels, 3 * channels, 4 * channels};
  int64_t position = 0;
  for (; position + 4 <= positions; position += 4) {
    visit(window, position * channels, position * channels);
  }
  for (; position < positions; position++) visit(OneAt(), position * channels, position * channels);
}
template <typename Pool, typename Visit>
void forEachWindow(Pool, const Block& block, Visit visit) {
  const int64_t channels = block.channels, width = block.width, rows = block.height / 2, columns = width / 2;
  const FourAt window = {channels, width * channels, (width + 1) * channels, 2 * channels};
  for (int64_t row = 0; row < rows; row++) {
    for (int64_t column = 0; column < columns; column++) {
      visit(window, (2 * row * width + 2 * column) * channels, (row * columns + column) * channels);
    }
    if (2 * columns < width) {
      visit(OneAt(), (2 * row * width + width - 1) * channels, 0);
      visit(OneAt(), ((2 * row + 1) * width + width - 1) * channels, 0);
    }
  }
  for (int64_t position = 2 * rows * width; position < block.height * width; position++) {
    visit(OneAt(), position * channels, 0);
  }
}

// Calls `kernel` with the kind of pooling as a type.
template <typename Kernel>
void withPool(Pooling pooling, Kernel kernel) {
  switch (pooling) {
    case Pooling::none: return kernel(None());
    case Pooling::average: return kernel(Average());
    case Pooling::maximum: return kernel(Maximum());
  }
}

}  // namespace distillery::windows
