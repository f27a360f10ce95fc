// avgPool₂(relu(scale · (x − mean) / √(variance + epsilon) + shift)), differentiable to any order.
#pragma once

#include <ATen/core/Tensor.h>

namespace distillery {

// images [n, h, w, c], scale [c], shift [c] → [n, h/2, w/2, c]. One fused pass for float32 on the CPU, otherwise
// libtorch's operations one after another.
at::Tensor instanceNormReluPool(const at::Tensor& images, const at::Tensor& scale, const at::Tensor& shift,
                                double epsilon);

}  // namespace distillery
