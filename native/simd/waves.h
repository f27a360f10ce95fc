// Angles ⟨ω, x⟩ between features x and frequencies ω, and their cosines and sines; float32. Plain C++: no libtorch.
#pragma once

#include <cstdint>

namespace distillery::waves {

constexpr int64_t kPanel = 32;  // frequencies taken at once
constexpr int64_t kRows = 48;   // features taken at once, at most

inline int64_t panelsOf(int64_t frequencies) { return (frequencies + kPanel - 1) / kPanel; }

// Frequencies [count, width].
struct Frequencies {
  const float* values;
  int64_t count, width;
};

// Writes panels begin … end − 1, [width, 32] each: component k of frequency 32 p + j lies in row k, column j of panel p.
// Where there is no such frequency, it is 0.
void packPanels(const Frequencies& frequencies, float* panels, int64_t begin, int64_t end);

// Numbers that `copyRows` writes.
inline int64_t copyOf(int64_t rows, int64_t width) { return rows * (width + 16); }

// Copies features [rows, width], each row a cache line further from the one before than it need be: rows a power of two
// apart would evict each other from the cache.
void copyRows(const float* features, int64_t rows, int64_t width, float* copy);

// Angles of copied rows with a panel's frequencies, [rows, 32], rows `step` numbers apart.
struct Angles {
  float* values;
  int64_t rows, step;
};
void anglesOf(const float* copy, const float* panel, int64_t width, Angles angles);

// Adds the cosines and sines of each column to cos and sin, [32].
void addWaves(Angles angles, double* cos, double* sin);

// Each angle θ becomes im cos θ − re sin θ, with re and im of its column, [32]: the derivative of re cos θ + im sin θ.
void waveSlopes(Angles angles, const float* re, const float* im);

// A product of which 32 columns are taken at a time.
struct Product {
  const float* left;  // [rows, depth]: element (i, k) lies at left[i · rowStep + k · depthStep]
  int64_t rowStep, depthStep;
  const float* right;  // [depth, width]
  int64_t rows, depth, width;
  float* result;  // [rows, width]
  bool adds;      // to what is there, instead of replacing it
};

// Columns 32 p … 32 p + 31 for p from begin to end − 1, as far as they exist.
void multiplyPanels(const Product& product, int64_t begin, int64_t end);

}  // namespace distillery::waves
