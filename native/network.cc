// Layers of convolutional networks on NHWC images.
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/max_pool2d_with_indices.h>

#include <tuple>

#include "bilinear.h"
#include "block.h"
#include "call.h"
#include "convolution.h"
#include "layer.h"

namespace distillery {

namespace {

// (images, filters, bias or 0, stride, padding)
Tensor conv2d(Call& call) {
  const Tensor bias = call.integer(2) == 0 ? Tensor() : call.tensor(2);
  return convolution(call.tensor(0), call.tensor(1), bias, {call.integer(3), call.integer(4)});
}

// (images, scale, shift, stride, padding, epsilon, pooling) and the list [filters, bias or 0]
Tensor layer(Call& call) {
  const Sizes numbers = call.list();
  const auto numbered = [&](size_t i) { return call.numbered(static_cast<int32_t>(numbers.at(i))); };
  return convolvedBlock(call.tensor(0), {numbered(0), numbers.at(1) == 0 ? Tensor() : numbered(1), call.tensor(1),
                                         call.tensor(2), {call.integer(3), call.integer(4)},
                                         {call.number(5), static_cast<Pooling>(call.integer(6))}});
}

// (images, size)
Tensor avgPool(Call& call) {
  const int64_t size = call.integer(1);
  return channelsLast(at::avg_pool2d(channelsFirst(call.tensor(0)), {size, size}));
}

// (images, size)
Tensor maxPool(Call& call) {
  const int64_t size = call.integer(1);
  return channelsLast(std::get<0>(at::max_pool2d_with_indices(channelsFirst(call.tensor(0)), {size, size})));
}

// (images, scale, shift, epsilon, pooling: 0 none, 1 average, 2 maximum)
Tensor normRelu(Call& call) {
  const BlockOptions options{call.number(3), static_cast<Pooling>(call.integer(4))};
  return instanceNormRelu(call.tensor(0), call.tensor(1), call.tensor(2), options);
}

// Seconds spent in convolutions since the process began
napi_value secondsInConvolutions(Call& call) { return numberValue(call.env(), convolutionSeconds()); }

// (whether convolutions round their operands to bfloat16): returns whether they did before
napi_value roundConvolutions(Call& call) {
  napi_value before;
  napi_get_boolean(call.env(), roundCorrelations(call.flag(0)), &before);
  return before;
}

}  // namespace

std::vector<Export> networkExports() {
  return {
      {"conv2d", tensorResult<conv2d>},
      {"layer", tensorResult<layer>},
      {"roundConvolutions", plainResult<roundConvolutions>},
      {"convolutionSeconds", plainResult<secondsInConvolutions>},
      {"avgPool", tensorResult<avgPool>},
      {"maxPool", tensorResult<maxPool>},
      {"instanceNormRelu", tensorResult<normRelu>},
  };
}

}  // namespace distillery
