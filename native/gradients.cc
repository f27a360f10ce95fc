// Reverse-mode differentiation by libtorch's autograd.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/alias.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/autograd.h>

#include "call.h"

namespace distillery {

namespace {

// (x, whether a caller's gradient tracks it): the variable that gradients are taken with respect to. A tracked x stays
// connected through an alias, so that paths to x that do not lead through this variable are left out of its gradient.
Tensor variable(Call& call) {
  const Tensor& x = call.tensor(0);
  if (call.flag(1) && x.requires_grad()) return at::alias(x);
  return x.detach().requires_grad_(true);
}

Tensor detach(Call& call) { return call.tensor(0).detach(); }

// (whether to record): returns whether it did before
napi_value record(Call& call) {
  napi_value before;
  napi_get_boolean(call.env(), at::GradMode::is_enabled(), &before);
  at::GradMode::set_enabled(call.flag(0));
  return before;
}

// (value, whether the gradients are to be differentiated) and the variables; the gradients' numbers replace theirs
napi_value differentiate(Call& call) {
  const Tensor& value = call.tensor(0);
  const bool differentiable = call.flag(1);
  const std::vector<Tensor> variables = call.tensorList();

  std::vector<Tensor> gradients(variables.size());
  if (value.requires_grad() && !variables.empty()) {
    gradients = torch::autograd::grad({value}, variables, {}, differentiable, differentiable, true);
  }
  for (size_t i = 0; i < variables.size(); i++) {
    if (!gradients[i].defined()) gradients[i] = at::zeros_like(variables[i].detach());
  }
  for (size_t i = 0; i < gradients.size(); i++) {
    call.environment().scratch[Environment::kFirstList + 1 + i] = call.keep(gradients[i]);
  }
  return nullptr;
}

}  // namespace

std::vector<Export> gradientExports() {
  return {
      {"variable", tensorResult<variable>},
      {"detach", tensorResult<detach>},
      {"record", plainResult<record>},
      {"differentiate", plainResult<differentiate>},
  };
}

}  // namespace distillery
