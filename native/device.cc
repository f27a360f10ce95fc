// Devices, threads and versions.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <torch/cuda.h>
#include <torch/version.h>

#include "call.h"
#include "gpu.h"

namespace distillery {

namespace {

// (number): for the thread that calls, and for threads that begin later until they set their own.
napi_value setThreads(Call& call) {
  at::set_num_threads(call.integer(0));
  return nullptr;
}

napi_value threads(Call& call) { return numberValue(call.env(), at::get_num_threads()); }

// GPUs that libtorch can use.
napi_value cudaDevices(Call& call) { return numberValue(call.env(), static_cast<double>(torch::cuda::device_count())); }

// (whether convolutions may use TF32): how every GPU computes from now on. Same input, same bits: cuDNN must take
// algorithms that add in a fixed order, and must not choose them by timing. Matrix products keep float32: distances are
// differences of them, and are to be zero between equal points.
napi_value setGpuArithmetic(Call& call) {
  at::Context& context = at::globalContext();
  context.setDeterministicCuDNN(true);
  context.setBenchmarkCuDNN(false);
  // Since 2.9 libtorch has finer switches beside these two, and throws where the two kinds contradict each other; these
  // set both.
  context.setAllowTF32CuDNN(call.flag(0));
  context.setAllowTF32CuBLAS(false);
  return nullptr;
}

napi_value gpu(Call& call) { return textValue(call.env(), describeGpu()); }

napi_value version(Call& call) { return textValue(call.env(), TORCH_VERSION); }

}  // namespace

std::vector<Export> deviceExports() {
  return {
      {"setThreads", plainResult<setThreads>},
      {"threads", plainResult<threads>},
      {"cudaDevices", plainResult<cudaDevices>},
      {"setGpuArithmetic", plainResult<setGpuArithmetic>},
      {"gpu", plainResult<gpu>},
      {"version", plainResult<version>},
  };
}

}  // namespace distillery
