// The three bilinear forms of a convolution on plain arrays, without derivatives.
#pragma once

#include <ATen/core/Tensor.h>

#include "convolution.h"

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

// Whether correlations on this thread round their operands to bfloat16; returns whether they did before.
bool roundCorrelations(bool on);

// Seconds that this process has spent in them, on a CPU.
double convolutionSeconds();

}  // namespace distillery
