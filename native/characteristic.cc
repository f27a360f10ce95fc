#include "characteristic.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/div.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/repeat_interleave.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/split_with_sizes.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <array>

#include "waveTiles.h"

namespace distillery {

namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

using waves::Counts;
using Wanted = std::array<bool, 2>;  // of the gradients with respect to features and frequencies

Tensor groupMeans(const Tensor& rows, const Counts& counts) {
  const int64_t groups = counts.size(), count = counts[0];
  if (std::count(counts.begin(), counts.end(), count) == groups) {
    return at::mean(rows.reshape({groups, count, rows.size(1)}), 1);
  }
  std::vector<Tensor> means;
  for (const Tensor& group : at::split_with_sizes(rows, counts)) means.push_back(at::mean(group, 0));
  return at::stack(means);
}

variable_list composite(const Tensor& features, const Tensor& frequencies, const Counts& counts) {
  const Tensor angles = at::matmul(features, frequencies.transpose(0, 1));
  return {groupMeans(at::cos(angles), counts), groupMeans(at::sin(angles), counts)};
}

// The slope at a group's mean, over its rows.
Tensor perRow(const Tensor& slope, const Counts& counts) {
  return at::div(slope, at::tensor(counts, slope.options()).unsqueeze(1));
}

// As `waves::gradients` has it, by differentiable operations.
variable_list compositeBackward(const Tensor& features, const Tensor& frequencies, const Counts& counts,
                                const variable_list& slopes, Wanted wanted) {
  const Tensor angles = at::matmul(features, frequencies.transpose(0, 1));
  const Tensor repeats = at::tensor(counts, angles.options().dtype(at::kLong));
  const auto spread = [&](const Tensor& slope) { return at::repeat_interleave(perRow(slope, counts), repeats, 0); };
  const Tensor s = at::cos(angles) * spread(slopes[1]) - at::sin(angles) * spread(slopes[0]);
  return {wanted[0] ? at::matmul(s, frequencies) : Tensor(),
          wanted[1] ? at::matmul(s.transpose(0, 1), features) : Tensor(), Tensor(), Tensor()};
}

// `perRow` with zeros up to whole panels of frequencies.
Tensor perRowInPanels(const Tensor& slope, const waves::Operands& operands) {
  const int64_t missing = operands.panelCount() * waves::kPanel - slope.size(1);
  return at::constant_pad_nd(perRow(slope, operands.counts), {0, missing}).contiguous();
}

struct FusedCharacteristic : Function<FusedCharacteristic> {
  static variable_list forward(AutogradContext* context, const Tensor& features, const Tensor& frequencies,
                               const Tensor& panels, const Counts& counts) {
    context->saved_data["counts"] = counts;
    context->save_for_backward({features, frequencies, panels});
    const auto [re, im] = waves::means({features.contiguous(), frequencies.contiguous(), panels, counts});
    return {re, im};
  }

  static variable_list backward(AutogradContext* context, variable_list slopes) {
    const auto saved = context->get_saved_variables();
    const Counts counts = context->saved_data["counts"].toIntVector();
    const Wanted wanted = {context->needs_input_grad(0), context->needs_input_grad(1)};
    if (at::GradMode::is_enabled()) return compositeBackward(saved[0], saved[1], counts, slopes, wanted);
    const waves::Operands operands{saved[0].contiguous(), saved[1].contiguous(), saved[2], counts};
    const auto [toFeatures, toFrequencies] = waves::gradients(
        operands, {perRowInPanels(slopes[0], operands), perRowInPanels(slopes[1], operands)}, wanted);
    return {toFeatures, toFrequencies, Tensor(), Tensor()};
  }
};

}  // namespace

const Tensor& PackedFrequencies::of(const Tensor& frequencies) {
  if (source_._unsafe_get_target() == frequencies.unsafeGetTensorImpl()) return panels_;
  panels_ = waves::packed(frequencies.detach().contiguous());
  source_ = Source(frequencies.getIntrusivePtr());
  return panels_;
}

std::vector<Tensor> characteristic(const Tensor& features, const Tensor& frequencies, const Counts& counts,
                                   PackedFrequencies& packed) {
  const bool tiled = features.device().is_cpu() && features.scalar_type() == at::kFloat;
  if (!tiled || frequencies.numel() == 0) {
    return composite(features, frequencies, counts);
  }
  return FusedCharacteristic::apply(features, frequencies, packed.of(frequencies), counts);
}

}  // namespace distillery
