// The three bilinear forms of a convolution on plain arrays, without derivatives.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <optional>

#include "convolution.h"
#include "simd/patches.h"

namespace distillery {

struct FilterGradients {
  at::Tensor filters, bias;
};

// images [n, h, w, inputs], filters [outputs, fh, fw, inputs], bias [outputs] or undefined; slope is shaped as the
// convolution's result, and the shapes of what a gradient is for are given. Results are NHWC and OHWI.
at::Tensor correlation(const at::Tensor& images, const at::Tensor& filters, const at::Tensor& bias, Geometry geometry);
at::Tensor imageAdjoint(const at::Tensor& slope, const at::Tensor& filters, at::IntArrayRef images, Geometry geometry);
FilterGradients filterAdjoint(const at::Tensor& images, const at::Tensor& slope, at::IntArrayRef filters,
                              Geometry geometry);

// A correlation that any thread may take for a few images at a time, into memory of its own.
struct ImagewiseCorrelation {
  int64_t rows, columns, outputs;
  // Images that go well together.
  int64_t atOnce;
  // Writes the results [end − begin, rows, columns, outputs] of these images. It keeps the arrays it reads alive.
  std::function<void(int64_t begin, int64_t end, float* output)> run;
};

// None where the correlation is libtorch's, which takes a whole batch.
std::optional<ImagewiseCorrelation> imagewiseCorrelation(const at::Tensor& images, const at::Tensor& filters,
                                                         const at::Tensor& bias, Geometry geometry);

// The convolution as a product with patches, if it is one.
std::optional<patches::Problem> patchProblem(at::IntArrayRef images, at::IntArrayRef filters, const at::Tensor& array,
                                             Geometry geometry);

// Images are summed in parts, the parts in order: the same bits whatever the number of threads.
constexpr int64_t kParts = 16;

// The gradients in filters and bias from sums of slope times patch over parts of the images, [parts, outputs, 32].
FilterGradients patchGradients(const patches::Problem& problem, const at::Tensor& sums);

// Adds to `convolutionSeconds`: for callers of the above.
void addConvolutionSeconds(double seconds);

// Whether correlations on this thread round their operands to bfloat16; returns whether they did before.
bool roundCorrelations(bool on);

// Seconds that this process has spent in them, on a CPU.
double convolutionSeconds();

}  // namespace distillery
