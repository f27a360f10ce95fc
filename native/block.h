// pool(relu(scale · (x − mean) / √(variance + epsilon) + shift)), differentiable to any order.
#pragma once

#include <ATen/core/Tensor.h>

#include "simd/normReluPool.h"

namespace distillery {

struct BlockOptions {
  double epsilon;
  Pooling pooling;
};

// images [n, h, w, c], scale [c], shift [c] → [n, pooled h, pooled w, c]. Fused for float32 on the CPU, and on
// a GPU for which there are kernels; otherwise libtorch's operations one after another.
at::Tensor instanceNormRelu(const at::Tensor& images, const at::Tensor& scale, const at::Tensor& shift,
                            BlockOptions options);

}  // namespace distillery
