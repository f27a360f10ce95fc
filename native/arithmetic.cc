// Elementwise operations, reductions and products.
#include <ATen/ops/add.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/div.h>
#include <ATen/ops/eq.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/gt.h>
#include <ATen/ops/log.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/neg.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/sign.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/square.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/tanh.h>

#include "call.h"
#include "characteristic.h"

namespace distillery {

namespace {

// (x)
template <Tensor (*function)(const Tensor&)>
Tensor unary(Call& call) {
  return function(call.tensor(0));
}

// (x). |x| = x sign(x), the sign a constant. The second derivative of at::abs is a zero tensor without memory, at which
// code that reads data_ptr() crashes.
Tensor abs(Call& call) {
  const Tensor& x = call.tensor(0);
  return at::mul(x, at::sign(x.detach()));
}

// (x, y, whether y is a number)
template <typename Function>
Tensor binary(Call& call, Function function) {
  const Tensor& x = call.tensor(0);
  return call.flag(2) ? function(x, at::Scalar(call.number(1))) : function(x, call.tensor(1));
}

Tensor add(Call& call) {
  return binary(call, [](const Tensor& x, const auto& y) { return at::add(x, y); });
}

Tensor sub(Call& call) {
  return binary(call, [](const Tensor& x, const auto& y) { return at::sub(x, y); });
}

Tensor mul(Call& call) {
  return binary(call, [](const Tensor& x, const auto& y) { return at::mul(x, y); });
}

Tensor div(Call& call) {
  return binary(call, [](const Tensor& x, const auto& y) { return at::div(x, y); });
}

Tensor asTensor(const Tensor& y, const Tensor&) { return y; }
Tensor asTensor(const at::Scalar& y, const Tensor& like) { return at::scalar_tensor(y, like.options()); }

Tensor maximum(Call& call) {
  return binary(call, [](const Tensor& x, const auto& y) { return at::maximum(x, asTensor(y, x)); });
}

Tensor minimum(Call& call) {
  return binary(call, [](const Tensor& x, const auto& y) { return at::minimum(x, asTensor(y, x)); });
}

// (x, y, whether y is a number, result type)
Tensor greater(Call& call) {
  return binary(call, [](const Tensor& x, const auto& y) { return at::gt(x, y); }).to(typeOf(call.integer(3)));
}

// (x, y, whether y is a number, result type)
Tensor equal(Call& call) {
  return binary(call, [](const Tensor& x, const auto& y) { return at::eq(x, y); }).to(typeOf(call.integer(3)));
}

// (x, exponent)
Tensor pow(Call& call) { return at::pow(call.tensor(0), at::Scalar(call.number(1))); }

// (x, type)
Tensor cast(Call& call) { return call.tensor(0).to(typeOf(call.integer(1))); }

// (x, whether to keep the axes) and the axes, of which there is at least one
Tensor sum(Call& call) { return at::sum(call.tensor(0), at::IntArrayRef(call.list()), call.flag(1)); }
Tensor mean(Call& call) { return at::mean(call.tensor(0), at::IntArrayRef(call.list()), call.flag(1)); }
Tensor max(Call& call) { return at::amax(call.tensor(0).detach(), call.list(), call.flag(1)); }

// (x, axis)
Tensor argmax(Call& call) { return at::argmax(call.tensor(0), call.integer(1)).to(at::kInt); }

Tensor matMul(Call& call) { return at::matmul(call.tensor(0), call.tensor(1)); }

Tensor logSoftmax(Call& call) { return at::log_softmax(call.tensor(0), -1); }

// (features, frequencies) and the counts; the numbers of the two results replace the list
napi_value characteristicParts(Call& call) {
  Environment& environment = call.environment();
  const auto parts = characteristic(call.tensor(0), call.tensor(1), call.list(), environment.packed);
  for (size_t i = 0; i < parts.size(); i++) environment.scratch[Environment::kFirstList + i] = call.keep(parts[i]);
  return nullptr;
}

}  // namespace

std::vector<Export> arithmeticExports() {
  return {
      {"neg", tensorResult<unary<at::neg>>},
      {"exp", tensorResult<unary<at::exp>>},
      {"log", tensorResult<unary<at::log>>},
      {"sqrt", tensorResult<unary<at::sqrt>>},
      {"rsqrt", tensorResult<unary<at::rsqrt>>},
      {"square", tensorResult<unary<at::square>>},
      {"abs", tensorResult<abs>},
      {"sin", tensorResult<unary<at::sin>>},
      {"cos", tensorResult<unary<at::cos>>},
      {"tanh", tensorResult<unary<at::tanh>>},
      {"sigmoid", tensorResult<unary<at::sigmoid>>},
      {"relu", tensorResult<unary<at::relu>>},
      {"add", tensorResult<add>},
      {"sub", tensorResult<sub>},
      {"mul", tensorResult<mul>},
      {"div", tensorResult<div>},
      {"maximum", tensorResult<maximum>},
      {"minimum", tensorResult<minimum>},
      {"greater", tensorResult<greater>},
      {"equal", tensorResult<equal>},
      {"pow", tensorResult<pow>},
      {"cast", tensorResult<cast>},
      {"sum", tensorResult<sum>},
      {"mean", tensorResult<mean>},
      {"max", tensorResult<max>},
      {"argmax", tensorResult<argmax>},
      {"matMul", tensorResult<matMul>},
      {"logSoftmax", tensorResult<logSoftmax>},
      {"characteristic", plainResult<characteristicParts>},
  };
}

}  // namespace distillery
