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

// instanceNormRelu(convolution(images)), differentiable to any order.
//
// The convolution's result is the largest array of a network. Where no gradient is recorded and the convolution is one of
// simd/'s, it is made and used up image by image, and never leaves the caches. A first layer that goes by patches and has
// a bias does without it in first-order gradients too: it is made once more on the way back, which takes less time than
// to write and read it. All others are their two operations, one after the other.
at::Tensor convolvedBlock(const at::Tensor& images, const Layer& layer);

}  // namespace distillery
