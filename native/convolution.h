// 2-D cross-correlation of NHWC images, with fast derivatives of every order.
#pragma once

#include <ATen/core/Tensor.h>

namespace distillery {

// The same along both axes: step between windows, zeros added on every side.
struct Geometry {
  int64_t stride;
  int64_t padding;
};

// images [n, h, w, inputs], filters [outputs, fh, fw, inputs], bias [outputs] or undefined.
at::Tensor convolution(const at::Tensor& images, const at::Tensor& filters, const at::Tensor& bias, Geometry geometry);

// Axes of NHWC images (or of OHWI filters) in libtorch's order, and back. Views: an NHWC array is what libtorch calls
// channels-last, the layout in which oneDNN convolves fastest.
inline at::Tensor channelsFirst(const at::Tensor& images) { return images.permute({0, 3, 1, 2}); }
inline at::Tensor channelsLast(const at::Tensor& images) { return images.permute({0, 2, 3, 1}); }

}  // namespace distillery
