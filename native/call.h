// One call from JavaScript: its arguments in, its result or its error out.
#pragma once

#include <ATen/core/Tensor.h>
#include <node_api.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "characteristic.h"

namespace distillery {

using at::Tensor;
using Sizes = std::vector<int64_t>;

// What one JavaScript environment (the main thread, a worker) owns. Nothing is static, so workers do not share it.
//
// Tensors are known to JavaScript by number. Lists of whole numbers (shapes, axes) and the shapes of results go
// through `scratch`, an Int32Array that both sides see: several times cheaper than JavaScript arrays.
//
//   scratch[0 .. 15]  of the last result: axes, type code, lengths
//   scratch[16 ..]    of the next call: lists, each as its count and its entries, one after another
struct Environment {
  static constexpr size_t kScratchLength = 1 << 16;
  static constexpr size_t kFirstList = 16;
  static constexpr int64_t kMostAxes = kFirstList - 2;

  std::vector<Tensor> tensors = std::vector<Tensor>(1);  // number 0 means none
  std::vector<int32_t> free;
  // Shared with JavaScript's array, of which neither must outlive the memory.
  std::shared_ptr<int32_t[]> scratch{new int32_t[kScratchLength]()};
  PackedFrequencies packed;
};

// Element types by the code that both sides use.
at::ScalarType typeOf(int32_t code);

class Call {
 public:
  Call(napi_env env, napi_callback_info info);

  int32_t integer(size_t position) const;
  double number(size_t position) const;
  bool flag(size_t position) const;
  napi_value raw(size_t position) const;
  const Tensor& tensor(size_t position) const;
  // Tensor with this number; throws where there is none.
  const Tensor& numbered(int32_t number) const;

  // The next list of the scratch array.
  Sizes list();
  // The tensors whose numbers the next list holds.
  std::vector<Tensor> tensorList();

  // Keeps the tensor and returns its number, which is never 0; its shape and type go to the scratch array.
  int32_t keep(Tensor tensor);
  void release(size_t position);

  Environment& environment() { return *environment_; }
  napi_env env() const { return env_; }

 private:
  static constexpr size_t kMostArguments = 8;
  napi_env env_;
  Environment* environment_ = nullptr;
  napi_value arguments_[kMostArguments];
  size_t count_ = kMostArguments;
  size_t cursor_ = Environment::kFirstList;
};

// First line of an exception's message, without C++ frames.
std::string messageOf(const std::exception& error);

napi_value numberValue(napi_env env, double value);
napi_value textValue(napi_env env, const std::string& value);

// A function that returns any value but a tensor, or nothing, as JavaScript calls it. What it throws, JavaScript catches.
template <napi_value (*function)(Call&)>
napi_value plainResult(napi_env env, napi_callback_info info) {
  try {
    Call call(env, info);
    return function(call);
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, messageOf(error).c_str());
  } catch (...) {
    napi_throw_error(env, nullptr, "internal: an exception of unknown type");
  }
  return nullptr;
}

template <Tensor (*function)(Call&)>
napi_value keptResult(Call& call) {
  const int32_t kept = call.keep(function(call));
  napi_value result = nullptr;
  napi_create_int32(call.env(), kept, &result);
  return result;
}

// A function that returns one tensor.
template <Tensor (*function)(Call&)>
napi_value tensorResult(napi_env env, napi_callback_info info) {
  return plainResult<keptResult<function>>(env, info);
}

struct Export {
  const char* name;
  napi_callback callback;
};

// What each source file gives to JavaScript.
std::vector<Export> storageExports();
std::vector<Export> deviceExports();
std::vector<Export> arithmeticExports();
std::vector<Export> layoutExports();
std::vector<Export> networkExports();
std::vector<Export> gradientExports();
std::vector<Export> probeExports();

}  // namespace distillery
