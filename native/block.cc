#include "block.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/alias.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/avg_pool2d_backward.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/max_pool2d_with_indices.h>
#include <ATen/ops/max_pool2d_with_indices_backward.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/square.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/threshold_backward.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <tuple>

#include "convolution.h"
#include "gpu.h"

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

Tensor pooled(const Tensor& images, Pooling pooling) {
  switch (pooling) {
    case Pooling::average: return channelsLast(at::avg_pool2d(channelsFirst(images), {2, 2}));
    case Pooling::maximum:
      return channelsLast(std::get<0>(at::max_pool2d_with_indices(channelsFirst(images), {2, 2})));
    case Pooling::none: break;
  }
  return images;
}

// pooled's adjoint at `images`: each slope back to its window.
Tensor unpooled(const Tensor& slope, const Tensor& images, Pooling pooling) {
  const Tensor like = channelsFirst(images.detach());
  switch (pooling) {
    case Pooling::average:
      return channelsLast(
          at::avg_pool2d_backward(channelsFirst(slope), like, {2, 2}, {2, 2}, {0, 0}, false, false, {}));
    case Pooling::maximum: {
      const Tensor places = std::get<1>(at::max_pool2d_with_indices(like, {2, 2}));
      return channelsLast(at::max_pool2d_with_indices_backward(channelsFirst(slope), like, {2, 2}, {2, 2}, {0, 0},
                                                               {1, 1}, false, places));
    }
    case Pooling::none: break;
  }
  return slope;
}

Tensor composite(const Tensor& images, const Tensor& scale, const Tensor& shift, BlockOptions options) {
  const Tensor z = normalized(images, options.epsilon).values * scale + shift;
  return pooled(at::relu(z), options.pooling);
}

// simd/normReluPool.cc's formulas by differentiable operations: gradients with respect to images, scale and shift.
variable_list compositeBackward(const Tensor& images, const Tensor& scale, const Tensor& shift, const Tensor& slope,
                                BlockOptions options) {
  const auto [values, inverse] = normalized(images, options.epsilon);
  const Tensor z = values * scale + shift;
  const Tensor g = at::threshold_backward(unpooled(slope, z, options.pooling), z, 0);
  const Tensor product = g * values, scaled = g * scale;
  return {
      inverse * (scaled - positionMean(scaled) - values * positionMean(scaled * values)),
      at::sum(product, at::IntArrayRef(kSamplesAndPositions)),
      at::sum(g, at::IntArrayRef(kSamplesAndPositions)),
  };
}

// Gradients through compositeBackward with respect to its `inputs`, from slopes with respect to its results. The
// fused ones have no derivative of their own; third derivatives go through these.
variable_list compositeDoubleBackward(variable_list inputs, const variable_list& directions, BlockOptions options) {
  // Aliases, so that an input's gradient leaves out the paths by which other inputs depend on it.
  for (Tensor& input : inputs) {
    input = input.requires_grad() ? at::alias(input) : input.detach().requires_grad_(true);
  }
  const variable_list results = compositeBackward(inputs[0], inputs[1], inputs[2], inputs[3], options);
  return torch::autograd::grad(results, inputs, directions, true, true, true);
}

// The block's arrays, dense, and how to hand one image of them to the fused passes.
struct Arrays {
  Tensor images, scale, shift, mean, inverse;
  Pooling pooling;

  Block block(int64_t i) const {
    const int64_t height = images.size(1), width = images.size(2), channels = images.size(3);
    return {images.data_ptr<float>() + i * height * width * channels,
            scale.data_ptr<float>(),
            shift.data_ptr<float>(),
            height,
            width,
            channels,
            pooling};
  }
  Moments moments(int64_t i) const {
    const int64_t offset = i * images.size(3);
    return {mean.data_ptr<float>() + offset, inverse.data_ptr<float>() + offset};
  }
};

Arrays denseArrays(const Tensor& images, const Tensor& scale, const Tensor& shift, const Tensor& mean,
                   const Tensor& inverse, BlockOptions options) {
  return {images.contiguous(), scale.contiguous(), shift.contiguous(), mean, inverse, options.pooling};
}

float* part(const Tensor& tensor, int64_t i) { return tensor.data_ptr<float>() + i * tensor.stride(0); }

// Calls visit(i) for every image, on all threads. Below some 32768 numbers for a task, handing it to another thread
// costs more than it saves.
template <typename Visit>
void forEachImage(const Tensor& images, Visit visit) {
  const int64_t size = images.size(1) * images.size(2) * images.size(3);
  const int64_t perTask = std::max<int64_t>(1, 32768 / std::max<int64_t>(1, size));
  at::parallel_for(0, images.size(0), perTask, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) visit(i);
  });
}

Tensor fusedForward(const Arrays& arrays, double epsilon) {
  const Tensor& images = arrays.images;
  const Tensor pooled = at::empty({images.size(0), pooledLength(arrays.pooling, images.size(1)),
                                   pooledLength(arrays.pooling, images.size(2)), images.size(3)},
                                  images.options());
  if (images.is_cuda()) {
    gpuNormReluPool(arrays.block(0), images.size(0), static_cast<float>(epsilon), arrays.moments(0), part(pooled, 0));
    return pooled;
  }
  forEachImage(images, [&](int64_t i) {
    normReluPool(arrays.block(i), static_cast<float>(epsilon), arrays.moments(i), part(pooled, i));
  });
  return pooled;
}

variable_list fusedBackward(const Arrays& arrays, const Tensor& slope) {
  const Tensor gradient = at::empty_like(arrays.images);
  const Tensor scale = at::empty_like(arrays.mean), shift = at::empty_like(arrays.mean);  // [n, c], summed below
  const auto parts = [&](int64_t i) { return BlockGradient{part(gradient, i), part(scale, i), part(shift, i)}; };
  if (gradient.is_cuda()) {
    gpuNormReluPoolBackward(arrays.block(0), gradient.size(0), arrays.moments(0), part(slope, 0), parts(0));
  } else {
    forEachImage(gradient, [&](int64_t i) {
      normReluPoolBackward(arrays.block(i), arrays.moments(i), part(slope, i), parts(i));
    });
  }
  return {gradient, at::sum(scale, 0), at::sum(shift, 0)};
}

// directions: slopes with respect to fusedBackward's results. Returns gradients with respect to images, scale, shift
// (zero) and slope.
variable_list fusedDoubleBackward(const Arrays& arrays, const Tensor& slope, const variable_list& directions) {
  const Tensor u = directions[0].contiguous(), a = directions[1].contiguous(), b = directions[2].contiguous();
  const Tensor images = at::empty_like(arrays.images), slopes = at::empty_like(slope);
  const Tensor scale = at::empty_like(arrays.mean);  // [n, c], summed below
  const auto direction = [&](int64_t i) {
    return BlockDirection{part(u, i), a.data_ptr<float>(), b.data_ptr<float>()};
  };
  const auto parts = [&](int64_t i) {
    return BlockSecondGradient{part(images, i), part(scale, i), part(slopes, i)};
  };
  if (images.is_cuda()) {
    gpuNormReluPoolDoubleBackward(arrays.block(0), images.size(0), arrays.moments(0), part(slope, 0), direction(0),
                                  parts(0));
  } else {
    forEachImage(images, [&](int64_t i) {
      normReluPoolDoubleBackward(arrays.block(i), arrays.moments(i), part(slope, i), direction(i), parts(i));
    });
  }
  return {images, at::sum(scale, 0), Tensor(), slopes};
}

void saveOptions(AutogradContext* context, BlockOptions options) {
  context->saved_data["epsilon"] = options.epsilon;
  context->saved_data["pooling"] = static_cast<int64_t>(options.pooling);
}

BlockOptions savedOptions(AutogradContext* context) {
  return {context->saved_data["epsilon"].toDouble(),
          static_cast<Pooling>(context->saved_data["pooling"].toInt())};
}

// The block's gradient as a function that has a gradient itself.
struct FusedGradient : Function<FusedGradient> {
  static variable_list forward(AutogradContext* context, const Tensor& images, const Tensor& scale,
                               const Tensor& shift, const Tensor& slope, const Tensor& mean, const Tensor& inverse,
                               BlockOptions options) {
    saveOptions(context, options);
    context->save_for_backward({images, scale, shift, slope, mean, inverse});
    return fusedBackward(denseArrays(images, scale, shift, mean, inverse, options), slope.contiguous());
  }

  static variable_list backward(AutogradContext* context, variable_list directions) {
    const auto saved = context->get_saved_variables();
    const BlockOptions options = savedOptions(context);
    const Tensor &images = saved[0], &scale = saved[1], &shift = saved[2], &slope = saved[3];
    variable_list gradients =
        at::GradMode::is_enabled()
            ? compositeDoubleBackward({images, scale, shift, slope}, directions, options)
            : fusedDoubleBackward(denseArrays(images, scale, shift, saved[4], saved[5], options), slope.contiguous(),
                                  directions);
    gradients.resize(7);
    return gradients;
  }
};

struct FusedBlock : Function<FusedBlock> {
  static Tensor forward(AutogradContext* context, const Tensor& images, const Tensor& scale, const Tensor& shift,
                        BlockOptions options) {
    const Tensor mean = at::empty({images.size(0), images.size(3)}, images.options());
    const Tensor inverse = at::empty_like(mean);
    saveOptions(context, options);
    context->save_for_backward({images, scale, shift, mean, inverse});
    return fusedForward(denseArrays(images, scale, shift, mean, inverse, options), options.epsilon);
  }

  static variable_list backward(AutogradContext* context, variable_list slopes) {
    const auto saved = context->get_saved_variables();
    variable_list gradients = FusedGradient::apply(saved[0], saved[1], saved[2], slopes[0], saved[3], saved[4],
                                                   savedOptions(context));
    gradients.resize(4);
    return gradients;
  }
};

}  // namespace

Tensor instanceNormRelu(const Tensor& images, const Tensor& scale, const Tensor& shift, BlockOptions options) {
  const bool fused = images.scalar_type() == at::kFloat && (images.is_cpu() || (images.is_cuda() && hasGpuKernels()));
  return fused ? FusedBlock::apply(images, scale, shift, options) : composite(images, scale, shift, options);
}

}  // namespace distillery
