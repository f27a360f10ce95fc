#include "layer.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/alias.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <chrono>

#include "bilinear.h"

namespace distillery {

namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// Seconds spent in convolutions by one task. Those of the first thread count: all threads begin and end together.
class ConvolutionTime {
 public:
  ~ConvolutionTime() {
    if (at::get_thread_num() == 0) addConvolutionSeconds(seconds_);
  }

  template <typename Work>
  void count(Work work) {
    const auto start = Clock::now();
    work();
    seconds_ += std::chrono::duration<double>(Clock::now() - start).count();
  }

 private:
  using Clock = std::chrono::steady_clock;
  double seconds_ = 0;
};

float* rowOf(const Tensor& tensor, int64_t i) { return tensor.data_ptr<float>() + i * tensor.stride(0); }

// What both directions know of a layer's blocks, with dense parameters.
struct Blocks {
  Tensor scale, shift;
  Tensor mean, inverse;  // [n, outputs]
  BlockOptions options;
  int64_t rows, columns, outputs;

  Blocks(const Layer& layer, int64_t count, int64_t mapRows, int64_t mapColumns)
      : scale(layer.scale.contiguous()),
        shift(layer.shift.contiguous()),
        mean(at::empty({count, scale.size(0)}, scale.options())),
        inverse(at::empty_like(mean)),
        options(layer.block),
        rows(mapRows),
        columns(mapColumns),
        outputs(scale.size(0)) {}

  int64_t size() const { return rows * columns * outputs; }
  Block block(const float* map) const {
    return {map, scale.data_ptr<float>(), shift.data_ptr<float>(), rows, columns, outputs, options.pooling};
  }
  Moments moments(int64_t image) const { return {rowOf(mean, image), rowOf(inverse, image)}; }
};

// The layer image by image; fills the blocks' moments on the way.
Tensor imagewise(const ImagewiseCorrelation& correlation, const Blocks& blocks) {
  const Pooling pooling = blocks.options.pooling;
  const int64_t count = blocks.mean.size(0), atOnce = correlation.atOnce;
  const Tensor pooled = at::empty(
      {count, pooledLength(pooling, blocks.rows), pooledLength(pooling, blocks.columns), blocks.outputs},
      blocks.scale.options());
  at::parallel_for(0, count, atOnce, [&](int64_t begin, int64_t end) {
    ConvolutionTime time;
    const Tensor maps = at::empty({atOnce, blocks.size()}, pooled.options());
    for (int64_t first = begin; first < end; first += atOnce) {
      const int64_t last = std::min(first + atOnce, end);
      time.count([&] { correlation.run(first, last, rowOf(maps, 0)); });
      for (int64_t i = first; i < last; i++) {
        normReluPool(blocks.block(rowOf(maps, i - first)), static_cast<float>(blocks.options.epsilon),
                     blocks.moments(i), rowOf(pooled, i));
      }
    }
  });
  return pooled;
}

Tensor oneAfterTheOther(const Tensor& images, const Layer& layer) {
  return instanceNormRelu(convolution(images, layer.filters, layer.bias, layer.geometry), layer.scale, layer.shift,
                          layer.block);
}

struct FirstLayer : Function<FirstLayer> {
  // images, filters, bias, scale, shift
  static Tensor forward(AutogradContext* context, const Tensor& images, const Tensor& filters, const Tensor& bias,
                        const Tensor& scale, const Tensor& shift, Geometry geometry, BlockOptions options) {
    const Layer layer{filters, bias, scale, shift, geometry, options};
    const auto correlation = imagewiseCorrelation(images, filters, bias, geometry);
    const Blocks blocks(layer, images.size(0), correlation->rows, correlation->columns);
    context->saved_data["padding"] = geometry.padding;
    context->saved_data["epsilon"] = options.epsilon;
    context->saved_data["pooling"] = static_cast<int64_t>(options.pooling);
    const Tensor pooled = imagewise(*correlation, blocks);
    context->save_for_backward({images, filters, bias, scale, shift, blocks.mean, blocks.inverse});
    return pooled;
  }

  static variable_list backward(AutogradContext* context, variable_list slopes) {
    const auto saved = context->get_saved_variables();
    const Layer layer{saved[1], saved[2], saved[3], saved[4], {1, context->saved_data["padding"].toInt()},
                      {context->saved_data["epsilon"].toDouble(),
                       static_cast<Pooling>(context->saved_data["pooling"].toInt())}};
    variable_list gradients = at::GradMode::is_enabled()
                                  ? differentiable(context, saved, layer, slopes[0])
                                  : fused(saved, layer, slopes[0].contiguous(),
                                          {context->needs_input_grad(0),
                                           context->needs_input_grad(1) || context->needs_input_grad(2)});
    gradients.resize(7);
    return gradients;
  }

  // Made anew with a graph, one operation after the other.
  static variable_list differentiable(AutogradContext* context, const variable_list& saved, const Layer& layer,
                                      const Tensor& slope) {
    // Aliases, so that an input's gradient leaves out the paths by which other inputs depend on it.
    variable_list inputs(saved.begin(), saved.begin() + 5), wanted;
    for (size_t i = 0; i < 5; i++) {
      if (inputs[i].requires_grad()) inputs[i] = at::alias(inputs[i]);
      if (context->needs_input_grad(i)) wanted.push_back(inputs[i]);
    }
    const Tensor pooled = oneAfterTheOther(
        inputs[0], {inputs[1], inputs[2], inputs[3], inputs[4], layer.geometry, layer.block});
    const variable_list found = torch::autograd::grad({pooled}, wanted, {slope}, true, true, true);
    variable_list gradients(5);
    for (size_t i = 0, at = 0; i < 5; i++) {
      if (context->needs_input_grad(i)) gradients[i] = found[at++];
    }
    return gradients;
  }

  struct Wanted {
    bool images, filters;
  };

  static variable_list fused(const variable_list& saved, const Layer& layer, const Tensor& slope, Wanted wanted) {
    const Tensor images = saved[0].contiguous();
    const auto problem = *patchProblem(images.sizes(), layer.filters.sizes(), images, layer.geometry);
    const auto correlation = *imagewiseCorrelation(images, layer.filters, layer.bias, layer.geometry);
    Blocks blocks(layer, images.size(0), problem.rows, problem.columns);
    blocks.mean = saved[5];
    blocks.inverse = saved[6];
    const int64_t parts = std::min(kParts, problem.count);
    const Tensor sums = at::zeros({parts, problem.outputs, patches::kRow}, images.options());
    const Tensor scale = at::empty_like(blocks.mean), shift = at::empty_like(blocks.mean);  // of each image
    const Tensor gradient = wanted.images ? at::empty_like(images) : Tensor();
    const Tensor filterRows = at::empty({patches::filterCount(problem)}, images.options());
    patches::filterRows(problem, layer.filters.contiguous().data_ptr<float>(), filterRows.data_ptr<float>());

    const auto image = [&](int64_t i, const Tensor& scratch, float* sum, ConvolutionTime& time) {
      float *map = rowOf(scratch, 0), *mapSlope = rowOf(scratch, 1), *rest = rowOf(scratch, 2);
      time.count([&] { correlation.run(i, i + 1, map); });
      normReluPoolBackward(blocks.block(map), blocks.moments(i), rowOf(slope, i),
                           {mapSlope, rowOf(scale, i), rowOf(shift, i)});
      time.count([&] {
        if (wanted.filters) patches::filterSums(problem, {rowOf(images, i), mapSlope, sum}, rest, 0, 1);
        if (wanted.images) {
          patches::imageGradient(problem, {mapSlope, filterRows.data_ptr<float>(), rowOf(gradient, i)}, rest, 0, 1);
        }
      });
    };
    at::parallel_for(0, parts, 1, [&](int64_t begin, int64_t end) {
      ConvolutionTime time;
      const Tensor scratch = at::empty({3, std::max(blocks.size(), patches::scratch(problem))}, images.options());
      for (int64_t one = begin; one < end; one++) {
        const int64_t last = (one + 1) * problem.count / parts;
        for (int64_t i = one * problem.count / parts; i < last; i++) image(i, scratch, rowOf(sums, one), time);
      }
    });
    const auto [ofFilters, ofBias] = patchGradients(problem, sums);
    return {gradient, ofFilters, ofBias, at::sum(scale, 0), at::sum(shift, 0)};
  }
};

bool isRecorded(const Tensor& images, const Layer& layer) {
  const auto tracked = [](const Tensor& tensor) { return tensor.defined() && tensor.requires_grad(); };
  return at::GradMode::is_enabled() && (tracked(images) || tracked(layer.filters) || tracked(layer.bias) ||
                                        tracked(layer.scale) || tracked(layer.shift));
}

}  // namespace

Tensor convolvedBlock(const Tensor& images, const Layer& layer) {
  const auto [filters, bias, scale, shift, geometry, options] = layer;
  const bool nothing = images.size(0) == 0;
  if (!isRecorded(images, layer)) {
    const auto correlation = nothing ? std::nullopt : imagewiseCorrelation(images, filters, bias, geometry);
    if (!correlation) return oneAfterTheOther(images, layer);
    return imagewise(*correlation, Blocks(layer, images.size(0), correlation->rows, correlation->columns));
  }
  const bool first = !nothing && bias.defined() && patchProblem(images.sizes(), filters.sizes(), images, geometry) &&
                     imagewiseCorrelation(images, filters, bias, geometry);
  return first ? FirstLayer::apply(images, filters, bias, scale, shift, geometry, options)
               : oneAfterTheOther(images, layer);
}

}  // namespace distillery
