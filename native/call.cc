#include "call.h"

#include <c10/util/Exception.h>

#include <stdexcept>

namespace distillery {

namespace {

void require(napi_status status, const char* message) {
  if (status != napi_ok) throw std::invalid_argument(message);
}

int32_t codeOf(at::ScalarType type) {
  switch (type) {
    case at::kFloat: return 0;
    case at::kDouble: return 1;
    case at::kInt: return 2;
    default: throw std::logic_error(std::string("internal: result of type ") + at::toString(type));
  }
}

}  // namespace

at::ScalarType typeOf(int32_t code) {
  switch (code) {
    case 0: return at::kFloat;
    case 1: return at::kDouble;
    case 2: return at::kInt;
    default: throw std::invalid_argument("no element type has code " + std::to_string(code));
  }
}

Call::Call(napi_env env, napi_callback_info info) : env_(env) {
  require(napi_get_cb_info(env, info, &count_, arguments_, nullptr, nullptr), "cannot read the arguments");
  void* data = nullptr;
  require(napi_get_instance_data(env, &data), "the environment has ended");
  if (data == nullptr) throw std::logic_error("the environment has ended");
  environment_ = static_cast<Environment*>(data);
}

// Node fills absent arguments up to kMostArguments with undefined, so a type check is enough.
napi_value Call::raw(size_t position) const { return arguments_[position]; }

int32_t Call::integer(size_t position) const {
  int64_t value = 0;
  require(napi_get_value_int64(env_, arguments_[position], &value), "expected a whole number as argument");
  if (value < INT32_MIN || value > INT32_MAX) {
    throw std::out_of_range("expected a whole number of 32 bits, got " + std::to_string(value));
  }
  return static_cast<int32_t>(value);
}

double Call::number(size_t position) const {
  double value = 0;
  require(napi_get_value_double(env_, arguments_[position], &value), "expected a number as argument");
  return value;
}

bool Call::flag(size_t position) const {
  bool value = false;
  require(napi_get_value_bool(env_, arguments_[position], &value), "expected true or false as argument");
  return value;
}

const Tensor& Call::tensor(size_t position) const { return numbered(integer(position)); }

const Tensor& Call::numbered(int32_t number) const {
  const auto& tensors = environment_->tensors;
  if (number <= 0 || static_cast<size_t>(number) >= tensors.size() || !tensors[number].defined()) {
    throw std::out_of_range("there is no tensor number " + std::to_string(number));
  }
  return tensors[number];
}

Sizes Call::list() {
  const int32_t* scratch = environment_->scratch.get();
  const size_t room = Environment::kScratchLength - cursor_;
  if (room < 1 || scratch[cursor_] < 0 || static_cast<size_t>(scratch[cursor_]) >= room) {
    throw std::length_error("a list does not fit the scratch array");
  }
  const int32_t* first = scratch + cursor_ + 1;
  const int32_t* last = first + scratch[cursor_];
  cursor_ = static_cast<size_t>(last - scratch);
  return Sizes(first, last);
}

std::vector<Tensor> Call::tensorList() {
  std::vector<Tensor> tensors;
  for (const int64_t number : list()) tensors.push_back(numbered(static_cast<int32_t>(number)));
  return tensors;
}

int32_t Call::keep(Tensor tensor) {
  const int64_t axes = tensor.dim();
  if (axes > Environment::kMostAxes) {
    throw std::length_error("expected at most " + std::to_string(Environment::kMostAxes) + " axes, got " +
                            std::to_string(axes));
  }
  int32_t* header = environment_->scratch.get();
  header[0] = static_cast<int32_t>(axes);
  header[1] = codeOf(tensor.scalar_type());
  for (int64_t axis = 0; axis < axes; axis++) {
    const int64_t length = tensor.size(axis);
    if (length > INT32_MAX) throw std::length_error("an axis of length " + std::to_string(length) + " is too long");
    header[2 + axis] = static_cast<int32_t>(length);
  }

  auto& tensors = environment_->tensors;
  auto& free = environment_->free;
  if (free.empty()) {
    tensors.push_back(std::move(tensor));
    return static_cast<int32_t>(tensors.size() - 1);
  }
  const int32_t number = free.back();
  free.pop_back();
  tensors[number] = std::move(tensor);
  return number;
}

void Call::release(size_t position) {
  const int32_t number = integer(position);
  numbered(number);
  environment_->tensors[number] = Tensor();
  environment_->free.push_back(number);
}

std::string messageOf(const std::exception& error) {
  const auto* torchError = dynamic_cast<const c10::Error*>(&error);
  const std::string whole = torchError != nullptr ? torchError->what_without_backtrace() : error.what();
  return whole.substr(0, whole.find('\n'));
}

napi_value numberValue(napi_env env, double value) {
  napi_value result = nullptr;
  napi_create_double(env, value, &result);
  return result;
}

napi_value textValue(napi_env env, const std::string& value) {
  napi_value result;
  napi_create_string_utf8(env, value.c_str(), value.size(), &result);
  return result;
}

}  // namespace distillery
