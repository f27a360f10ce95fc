#include "convolution.h"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/version.h>

#include <optional>

#include "bilinear.h"

namespace distillery {

namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
using OptionalTensor = std::optional<Tensor>;
#else
using OptionalTensor = c10::optional<Tensor>;
#endif

using Shape = std::vector<int64_t>;

// Convolution y = x ⋆ w + b is bilinear in x and (w, b). Its two adjoints, the gradients with respect to images and to
// filters and bias, are bilinear too, and the derivatives of each of the three are the other two. So three functions
// that call one another are differentiable to any order, always through first-order kernels; libtorch's own second
// derivative takes nearly twice as long.
Tensor correlate(const Tensor& images, const Tensor& filters, const OptionalTensor& bias, Geometry geometry);
Tensor imageGradient(const Tensor& slope, const Tensor& filters, const Shape& images, Geometry geometry);
variable_list filterGradient(const Tensor& images, const Tensor& slope, const Shape& filters, Geometry geometry);

void save(AutogradContext* context, Geometry geometry, const Tensor& first, const Tensor& second) {
  context->saved_data["stride"] = geometry.stride;
  context->saved_data["padding"] = geometry.padding;
  context->save_for_backward({first, second});
}

Geometry savedGeometry(AutogradContext* context) {
  return {context->saved_data["stride"].toInt(), context->saved_data["padding"].toInt()};
}

struct Correlate : Function<Correlate> {
  static Tensor forward(AutogradContext* context, const Tensor& images, const Tensor& filters,
                        const OptionalTensor& bias, Geometry geometry) {
    save(context, geometry, images, filters);
    context->saved_data["bias"] = bias.has_value();
    return correlation(images, filters, bias.value_or(Tensor()), geometry);
  }

  static variable_list backward(AutogradContext* context, variable_list slopes) {
    const auto saved = context->get_saved_variables();
    const Geometry geometry = savedGeometry(context);
    const Tensor &images = saved[0], &filters = saved[1], &slope = slopes[0];
    variable_list gradients(4);
    if (context->needs_input_grad(0)) {
      gradients[0] = imageGradient(slope, filters, images.sizes().vec(), geometry);
    }
    // Without a bias there is no third input to ask about.
    const bool bias = context->saved_data["bias"].toBool() && context->needs_input_grad(2);
    if (context->needs_input_grad(1) || bias) {
      const variable_list both = filterGradient(images, slope, filters.sizes().vec(), geometry);
      gradients[1] = both[0];
      if (bias) gradients[2] = both[1];
    }
    return gradients;
  }
};

struct ImageGradient : Function<ImageGradient> {
  static Tensor forward(AutogradContext* context, const Tensor& slope, const Tensor& filters, const Shape& images,
                        Geometry geometry) {
    save(context, geometry, slope, filters);
    return imageAdjoint(slope, filters, images, geometry);
  }

  static variable_list backward(AutogradContext* context, variable_list directions) {
    const auto saved = context->get_saved_variables();
    const Geometry geometry = savedGeometry(context);
    const Tensor &slope = saved[0], &filters = saved[1], &direction = directions[0];
    variable_list gradients(4);
    if (context->needs_input_grad(0)) gradients[0] = correlate(direction, filters, {}, geometry);
    if (context->needs_input_grad(1)) {
      gradients[1] = filterGradient(direction, slope, filters.sizes().vec(), geometry)[0];
    }
    return gradients;
  }
};

struct FilterGradient : Function<FilterGradient> {
  static variable_list forward(AutogradContext* context, const Tensor& images, const Tensor& slope,
                               const Shape& filters, Geometry geometry) {
    save(context, geometry, images, slope);
    const auto [ofFilters, ofBias] = filterAdjoint(images, slope, filters, geometry);
    return {ofFilters, ofBias};
  }

  static variable_list backward(AutogradContext* context, variable_list directions) {
    const auto saved = context->get_saved_variables();
    const Geometry geometry = savedGeometry(context);
    const Tensor &images = saved[0], &slope = saved[1], &filters = directions[0], &bias = directions[1];
    variable_list gradients(4);
    if (context->needs_input_grad(0)) {
      gradients[0] = imageGradient(slope, filters, images.sizes().vec(), geometry);
    }
    if (context->needs_input_grad(1)) gradients[1] = correlate(images, filters, bias, geometry);
    return gradients;
  }
};

Tensor correlate(const Tensor& images, const Tensor& filters, const OptionalTensor& bias, Geometry geometry) {
  return Correlate::apply(images, filters, bias, geometry);
}

Tensor imageGradient(const Tensor& slope, const Tensor& filters, const Shape& images, Geometry geometry) {
  return ImageGradient::apply(slope, filters, images, geometry);
}

variable_list filterGradient(const Tensor& images, const Tensor& slope, const Shape& filters, Geometry geometry) {
  return FilterGradient::apply(images, slope, filters, geometry);
}

}  // namespace

Tensor convolution(const Tensor& images, const Tensor& filters, const Tensor& bias, Geometry geometry) {
  return correlate(images, filters, bias.defined() ? OptionalTensor(bias) : OptionalTensor(), geometry);
}

}  // namespace distillery
