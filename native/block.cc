#include "block.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/avg_pool2d_backward.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/square.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/threshold_backward.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "convolution.h"
#include "simd/fused.h"

namespace distillery {

namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

const std::vector<int64_t> kPositions = {1, 2};
const std::vector<int64_t> kSamplesAndPositions = {0, 1, 2};

Tensor positionMean(const Tensor& x) { return at::mean(x, at::IntArrayRef(kPositions), true); }

// x̂ and 1/√(variance + epsilon), from differentiable operations.
struct Normalized {
  Tensor values, inverse;
};

Normalized normalized(const Tensor& images, double epsilon) {
  const Tensor centered = images - positionMean(images);
  const Tensor inverse = at::rsqrt(positionMean(at::square(centered)) + epsilon);
  return {centered * inverse, inverse};
}

Tensor composite(const Tensor& images, const Tensor& scale, const Tensor& shift, double epsilon) {
  const Tensor active = at::relu(normalized(images, epsilon).values * scale + shift);
  return channelsLast(at::avg_pool2d(channelsFirst(active), {2, 2}));
}

// The block's arrays, dense, and how to hand one image of them to the fused pass.
struct Arrays {
  Tensor images, scale, shift, mean, inverse;

  Block block(int64_t i) const {
    const int64_t height = images.size(1), width = images.size(2), channels = images.size(3);
    return {images.data_ptr<float>() + i * height * width * channels, scale.data_ptr<float>(),
            shift.data_ptr<float>(), height, width, channels};
  }
  Moments moments(int64_t i) const {
    const int64_t offset = i * images.size(3);
    return {mean.data_ptr<float>() + offset, inverse.data_ptr<float>() + offset};
  }
};

float* part(const Tensor& tensor, int64_t i) { return tensor.data_ptr<float>() + i * tensor.stride(0); }

// Images for one task: below some 32768 numbers, handing work to another thread costs more than it saves.
int64_t imagesPerTask(const Tensor& images) {
  const int64_t size = images.size(1) * images.size(2) * images.size(3);
  return std::max<int64_t>(1, 32768 / std::max<int64_t>(1, size));
}

Tensor fusedForward(const Arrays& arrays, double epsilon) {
  const Tensor& images = arrays.images;
  const Tensor pooled =
      at::empty({images.size(0), images.size(1) / 2, images.size(2) / 2, images.size(3)}, images.options());
  at::parallel_for(0, images.size(0), imagesPerTask(images), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      normalizeReluPool(arrays.block(i), static_cast<float>(epsilon), arrays.moments(i), part(pooled, i));
    }
  });
  return pooled;
}

variable_list fusedBackward(const Arrays& arrays, const Tensor& slope) {
  const Tensor gradient = at::empty_like(arrays.images);
  const Tensor scale = at::empty_like(arrays.mean), shift = at::empty_like(arrays.mean);  // [n, c], summed below
  at::parallel_for(0, gradient.size(0), imagesPerTask(gradient), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      normalizeReluPoolGradient(arrays.block(i), arrays.moments(i), part(slope, i),
                                {part(gradient, i), part(scale, i), part(shift, i)});
    }
  });
  return {gradient, at::sum(scale, 0), at::sum(shift, 0), Tensor()};
}

// simd/fused.cc's formulas by differentiable operations: the fused gradient has no derivative of its own.
variable_list compositeBackward(const Tensor& images, const Tensor& scale, const Tensor& shift, const Tensor& slope,
                                double epsilon) {
  const auto [values, inverse] = normalized(images, epsilon);
  const Tensor unpooled = channelsLast(
      at::avg_pool2d_backward(channelsFirst(slope), channelsFirst(images), {2, 2}, {2, 2}, {0, 0}, false, false, {}));
  const Tensor g = at::threshold_backward(unpooled, values * scale + shift, 0);
  const Tensor product = g * values, scaled = g * scale;
  return {
      inverse * (scaled - positionMean(scaled) - values * positionMean(scaled * values)),
      at::sum(product, at::IntArrayRef(kSamplesAndPositions)),
      at::sum(g, at::IntArrayRef(kSamplesAndPositions)),
      Tensor(),
  };
}

struct FusedBlock : Function<FusedBlock> {
  static Tensor forward(AutogradContext* context, const Tensor& images, const Tensor& scale, const Tensor& shift,
                        double epsilon) {
    Arrays arrays{images.contiguous(), scale.contiguous(), shift.contiguous(), {}, {}};
    arrays.mean = at::empty({images.size(0), images.size(3)}, images.options());
    arrays.inverse = at::empty_like(arrays.mean);
    context->saved_data["epsilon"] = epsilon;
    context->save_for_backward({images, scale, shift, arrays.mean, arrays.inverse});
    return fusedForward(arrays, epsilon);
  }

  static variable_list backward(AutogradContext* context, variable_list slopes) {
    const auto saved = context->get_saved_variables();
    if (at::GradMode::is_enabled()) {
      return compositeBackward(saved[0], saved[1], saved[2], slopes[0], context->saved_data["epsilon"].toDouble());
    }
    return fusedBackward({saved[0].contiguous(), saved[1].contiguous(), saved[2].contiguous(), saved[3], saved[4]},
                         slopes[0].contiguous());
  }
};

}  // namespace

Tensor instanceNormReluPool(const Tensor& images, const Tensor& scale, const Tensor& shift, double epsilon) {
  const bool fused = images.device().is_cpu() && images.scalar_type() == at::kFloat;
  return fused ? FusedBlock::apply(images, scale, shift, epsilon) : composite(images, scale, shift, epsilon);
}

}  // namespace distillery
