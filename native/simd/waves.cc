#include "waves.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "product.h"

namespace distillery::waves {

namespace {

// π/2 in two parts (fdlibm's). The first has 25 bits, so that its product with a whole number below 2²⁸ is exact.
constexpr double kHigh = 1.57079631090164184570, kLow = 1.58932547735281966916e-8;
constexpr double kInverse = 0.63661977236758134308;  // 2/π

// Up to here the reduction holds. Float32 angles beyond are multiples of 32: what is left of their phase is noise.
constexpr float kLargest = 0x1p28f;

// Added to a double below 2⁵¹, it rounds it to a whole number, whose last bits are then the sum's last bits.
constexpr double kRound = 0x1.8p52;

struct Wave {
  double cos, sin;
};

inline uint64_t bitsOf(double x) {
  uint64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

inline double withSign(double x, uint64_t sign) {
  const uint64_t bits = bitsOf(x) ^ (sign << 63);
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

// With θ = k π/2 + r, |r| <= π/4: polynomials in r (fdlibm's for float32), whose places and signs follow from k. In
// double precision the result is within 0.51 units of float32's last place, and the product before still takes fifty
// times as long. NaN and infinities give NaN.
inline Wave wave(float angle) {
  const double theta = angle;
  const double rounded = theta * kInverse + kRound;
  const double k = rounded - kRound;
  const double r = (theta - k * kHigh) - k * kLow;
  const double z = r * r;
  const double sin = r + r * z *
                             (-0.166666666416265235595 +
                              z * (0.0083333293858894631756 +
                                   z * (-0.000198393348360966317347 + z * 0.0000027183114939898219064)));
  const double cos = 1 + z * (-0.499999997251031003120 +
                              z * (0.0416666233237390631894 +
                                   z * (-0.00138867637746099294692 + z * 0.0000243904487962774090654)));
  const uint64_t quarter = bitsOf(rounded);
  const bool odd = quarter & 1;
  return {withSign(odd ? sin : cos, ((quarter + 1) >> 1) & 1), withSign(odd ? cos : sin, (quarter >> 1) & 1)};
}

inline Wave distantWave(float angle) { return {std::cos(double(angle)), std::sin(double(angle))}; }

bool anyDistant(const float* row) {
  int found = 0;
#pragma omp simd reduction(| : found)
  for (int64_t j = 0; j < kPanel; j++) found |= std::fabs(row[j]) > kLargest;
  return found != 0;
}

// Calls use(column, wave of the angle there) for a row of angles.
template <typename Use>
void forEachWave(const float* row, Use use) {
  if (anyDistant(row)) {
    for (int64_t j = 0; j < kPanel; j++) use(j, distantWave(row[j]));
    return;
  }
#pragma omp simd
  for (int64_t j = 0; j < kPanel; j++) use(j, wave(row[j]));
}

// Depth of a product at a time: 256 KiB of a panel, which then come from the second-level cache for all rows but the
// first.
constexpr int64_t kDepth = 2048;

}  // namespace

void packPanels(const Frequencies& frequencies, float* panels, int64_t begin, int64_t end) {
  const auto [values, count, width] = frequencies;
  for (int64_t panel = begin; panel < end; panel++) {
    float* target = panels + panel * width * kPanel;
    const int64_t present = std::min(kPanel, count - panel * kPanel);
    if (present < kPanel) std::fill(target, target + width * kPanel, 0.f);
    // A cache line of every frequency at a time.
    for (int64_t first = 0; first < width; first += kLanes) {
      const int64_t last = std::min(first + kLanes, width);
      for (int64_t j = 0; j < present; j++) {
        const float* omega = values + (panel * kPanel + j) * width;
        for (int64_t k = first; k < last; k++) target[k * kPanel + j] = omega[k];
      }
    }
  }
}

void copyRows(const float* features, int64_t rows, int64_t width, float* copy) {
  for (int64_t i = 0; i < rows; i++) std::memcpy(copy + copyOf(i, width), features + i * width, width * sizeof(float));
}

void anglesOf(const float* copy, const float* panel, int64_t width, Angles angles) {
  for (int64_t first = 0; first < width; first += kDepth) {
    multiply({copy + first, copyOf(1, width), 1}, panel + first * kPanel, angles.rows, std::min(kDepth, width - first),
             {angles.values, angles.step, first > 0});
  }
}

void addWaves(Angles angles, double* __restrict cos, double* __restrict sin) {
  for (int64_t i = 0; i < angles.rows; i++) {
    forEachWave(angles.values + i * angles.step, [&](int64_t j, Wave wave) {
      cos[j] += wave.cos;
      sin[j] += wave.sin;
    });
  }
}

void waveSlopes(Angles angles, const float* __restrict re, const float* __restrict im) {
  for (int64_t i = 0; i < angles.rows; i++) {
    float* __restrict row = angles.values + i * angles.step;
    forEachWave(row, [&](int64_t j, Wave wave) { row[j] = static_cast<float>(im[j] * wave.cos - re[j] * wave.sin); });
  }
}

void multiplyPanels(const Product& product, int64_t begin, int64_t end) {
  const auto& [left, rowStep, depthStep, right, rows, depth, width, result, adds] = product;
  std::vector<float> panel(depth * kPanel), columns(rows * kPanel);
  for (int64_t first = begin * kPanel; first < std::min(end * kPanel, width); first += kPanel) {
    const int64_t present = std::min(kPanel, width - first);
    const auto copyPresent = [present](const float* from, float* to) { std::copy(from, from + present, to); };
    for (int64_t k = 0; k < depth; k++) copyPresent(right + k * width + first, &panel[k * kPanel]);
    if (present == kPanel) {
      multiply({left, rowStep, depthStep}, panel.data(), rows, depth, {result + first, width, adds});
      continue;
    }
    // The result has no room for whole panels here.
    for (int64_t i = 0; adds && i < rows; i++) copyPresent(result + i * width + first, &columns[i * kPanel]);
    multiply({left, rowStep, depthStep}, panel.data(), rows, depth, {columns.data(), kPanel, adds});
    for (int64_t i = 0; i < rows; i++) copyPresent(&columns[i * kPanel], result + i * width + first);
  }
}

}  // namespace distillery::waves
