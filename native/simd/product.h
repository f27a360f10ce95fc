// A matrix product that keeps a block of its result in registers.
#pragma once

#include "vector.h"

namespace distillery {

// The left matrix: element (row, k) lies at values[row · rowStep + k · depthStep].
struct Left {
  const float* values;
  int64_t rowStep, depthStep;
};

// The right one is [depth, 32], dense; the result is [rows, 32], with rows `step` floats apart.
struct Result {
  float* values;
  int64_t step;
  bool adds;  // to what is there, instead of replacing it
};

namespace product_detail {

template <int rows>
void block(Left left, const float* __restrict right, int64_t depth, Result result) {
  Vector sum[rows][2];
#pragma GCC unroll 16
  for (int row = 0; row < rows; row++) {
    float* at = result.values + row * result.step;
    sum[row][0] = result.adds ? load(at) : Vector{};
    sum[row][1] = result.adds ? load(at + kLanes) : Vector{};
  }
  for (int64_t k = 0; k < depth; k++) {
    const Vector first = load(right + 2 * kLanes * k), second = load(right + 2 * kLanes * k + kLanes);
    const float* column = left.values + k * left.depthStep;
#pragma GCC unroll 16
    for (int row = 0; row < rows; row++) {
      const float factor = column[row * left.rowStep];
      sum[row][0] += factor * first;
      sum[row][1] += factor * second;
    }
  }
#pragma GCC unroll 16
  for (int row = 0; row < rows; row++) {
    store(result.values + row * result.step, sum[row][0]);
    store(result.values + row * result.step + kLanes, sum[row][1]);
  }
}

}  // namespace product_detail

// Twelve rows of 32 sums fill 24 of AVX-512's 32 registers.
inline void multiply(Left left, const float* right, int64_t rows, int64_t depth, Result result) {
  using product_detail::block;
  const auto advance = [&](int64_t by) {
    left.values += by * left.rowStep;
    result.values += by * result.step;
    rows -= by;
  };
  for (; rows >= 12; advance(12)) block<12>(left, right, depth, result);
  for (; rows >= 8; advance(8)) block<8>(left, right, depth, result);
  for (; rows >= 4; advance(4)) block<4>(left, right, depth, result);
  for (; rows >= 1; advance(1)) block<1>(left, right, depth, result);
}

}  // namespace distillery
