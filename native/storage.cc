// Tensors between JavaScript and libtorch.
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>

#include <cstring>
#include <stdexcept>

#include "call.h"

namespace distillery {

namespace {

struct HostArray {
  void* data;
  size_t bytes;
};

HostArray hostArray(Call& call, size_t position, at::ScalarType type) {
  napi_typedarray_type kind;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(call.env(), call.raw(position), &kind, &length, &data, nullptr, nullptr) != napi_ok) {
    throw std::invalid_argument("expected a typed array");
  }
  const napi_typedarray_type expected = type == at::kFloat    ? napi_float32_array
                                        : type == at::kDouble ? napi_float64_array
                                                              : napi_int32_array;
  if (kind != expected) throw std::invalid_argument("the typed array has another element type than the tensor");
  return {data, length * c10::elementSize(type)};
}

// The first GPU that CUDA shows; CUDA_VISIBLE_DEVICES chooses.
at::Device deviceOf(bool cuda) { return cuda ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU); }

// (values, type, cuda) and the shape. A GPU copies by itself, after what was asked of it before, while JavaScript goes
// on; for that the memory it reads must be pinned. libtorch keeps that memory until the copy is done.
Tensor upload(Call& call) {
  const at::ScalarType type = typeOf(call.integer(1));
  const bool cuda = call.flag(2);
  const HostArray source = hostArray(call, 0, type);
  const Tensor tensor = at::empty(call.list(), at::TensorOptions(type).pinned_memory(cuda));
  if (tensor.nbytes() != source.bytes) {
    throw std::invalid_argument("expected " + std::to_string(tensor.numel()) + " values, got " +
                                std::to_string(source.bytes / c10::elementSize(type)));
  }
  if (source.bytes > 0) std::memcpy(tensor.data_ptr(), source.data, source.bytes);
  return tensor.to(at::TensorOptions(deviceOf(cuda)), /*non_blocking=*/true);
}

// (value, type, cuda) and the shape
Tensor full(Call& call) {
  const auto options = at::TensorOptions(typeOf(call.integer(1))).device(deviceOf(call.flag(2)));
  return at::full(call.list(), call.number(0), options);
}

// (tensor, target): copies into the target
napi_value download(Call& call) {
  const Tensor tensor = call.tensor(0).detach().cpu().contiguous();
  const HostArray target = hostArray(call, 1, tensor.scalar_type());
  if (target.bytes != tensor.nbytes()) throw std::invalid_argument("the target has another size than the tensor");
  if (target.bytes == 0) return nullptr;
  // libtorch has zero tensors that own no memory.
  if (tensor.data_ptr() == nullptr) throw std::logic_error("internal: the tensor has no memory to read");
  std::memcpy(target.data, tensor.data_ptr(), target.bytes);
  return nullptr;
}

// (tensor): the value of its one element
napi_value item(Call& call) { return numberValue(call.env(), call.tensor(0).item().toDouble()); }

napi_value release(Call& call) {
  call.release(0);
  return nullptr;
}

}  // namespace

std::vector<Export> storageExports() {
  return {
      {"upload", tensorResult<upload>},
      {"full", tensorResult<full>},
      {"download", plainResult<download>},
      {"item", plainResult<item>},
      {"release", plainResult<release>},
  };
}

}  // namespace distillery
