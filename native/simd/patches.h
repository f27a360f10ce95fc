// 3×3 convolution with stride 1 of images with up to three channels, float32, NHWC: a network's first layer.
// Plain C++: no libtorch, no threads; every function works on a range of images that the caller may give to a thread.
//
// The values under a window, at most 27, fit one row of 32: its patch. A 1 behind them stands for the bias. So the
// convolution is a matrix product with patches, and so are its gradients.
#pragma once

#include <cstdint>

namespace distillery::patches {

constexpr int64_t kRow = 32;  // floats of a patch, and of a filter beside its bias

// Convolution of images [count, height, width, inputs] to [count, rows, columns, outputs] with zeros added around.
struct Problem {
  int64_t count, height, width, inputs, padding, rows, columns, outputs;
};

bool fits(const Problem& problem);

inline int64_t filterCount(const Problem& problem) { return problem.outputs * kRow; }

// Of filters [outputs, 3, 3, inputs] and bias [outputs] (or null): panels of 32 outputs with an output's values in a
// column, [outputs/32, 32, 32], for `convolve`; and with an output's values in a row, [outputs, 32], for `imageGradient`.
void filterColumns(const Problem& problem, const float* filters, const float* bias, float* columns);
void filterRows(const Problem& problem, const float* filters, float* rows);

// Floats of scratch that each function needs: the largest one's, for all.
int64_t scratch(const Problem& problem);

// Outputs of the images from begin to end.
struct Convolution {
  const float* images;
  const float* filterColumns;
  float* output;
};
void convolve(const Problem& problem, const Convolution& arrays, float* scratch, int64_t begin, int64_t end);

// Gradient in the images from begin to end, of a slope shaped as the output.
struct ImageGradient {
  const float* slope;
  const float* filterRows;
  float* gradient;
};
void imageGradient(const Problem& problem, const ImageGradient& arrays, float* scratch, int64_t begin, int64_t end);

// Adds slope times patch, summed over the images from begin to end, to the sums [outputs, 32]: of each output the
// gradient in its filter, and behind it that in its bias.
struct FilterSums {
  const float* images;
  const float* slope;
  float* sums;
};
void filterSums(const Problem& problem, const FilterSums& arrays, float* scratch, int64_t begin, int64_t end);

}  // namespace distillery::patches
