// A ConvNet's layer in one operation: convolution, instance norm, ReLU and pooling.
#pragma once

#include <ATen/core/Tensor.h>

#include "block.h"
#include "convolution.h"

namespace distillery {

struct Layer {
  at::Tensor filters, bias;  // the bias may be undefined
  at::Tensor scale, shift;
  Geometry geometry;
  BlockOptions block;
};

// instanceNormRelu(convolution(images)). Without derivative: where it can, it goes image by image, so that the
// convolution's result, the largest array of a network, never leaves the caches.
at::Tensor layerWithoutGradient(const at::Tensor& images, const Layer& layer);

}  // namespace distillery
