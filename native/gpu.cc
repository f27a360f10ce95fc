#include "gpu.h"

#include <stdexcept>

#ifdef DISTILLERY_KERNELS
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>

#include <cmath>

#include "cuda/normReluPool.h"
#endif

namespace distillery {

#ifdef DISTILLERY_KERNELS

namespace {

// Asked once: no process sees its GPU or driver change.
const char* kernelProblem() {
  static const char* problem = cuda::normReluPoolProblem();
  return problem;
}

// libtorch's own stream on this thread. Device 0 is current on all threads, as all tensors live there.
cuda::Batch batchOf(int64_t images) { return {images, c10::cuda::getCurrentCUDAStream().stream()}; }

void require(const char* problem) {
  if (problem != nullptr) throw std::runtime_error(std::string("CUDA: ") + problem);
}

std::string nameAndMemory() {
  cudaDeviceProp properties;
  if (cudaGetDeviceProperties(&properties, 0) != cudaSuccess) return "CUDA";
  const double gibibytes = static_cast<double>(properties.totalGlobalMem) / (1 << 30);
  return properties.name + (", " + std::to_string(std::lround(gibibytes))) + " GiB";
}

}  // namespace

bool hasGpuKernels() { return kernelProblem() == nullptr; }

std::string describeGpu() {
  return hasGpuKernels() ? nameAndMemory() : nameAndMemory() + ", blocks not fused (" + kernelProblem() + ")";
}

void gpuNormReluPool(const Block& block, int64_t images, float epsilon, Moments moments, float* pooled) {
  require(cuda::normReluPool(block, batchOf(images), epsilon, moments, pooled));
}

void gpuNormReluPoolBackward(const Block& block, int64_t images, Moments moments, const float* slope,
                             BlockGradient gradient) {
  require(cuda::normReluPoolBackward(block, batchOf(images), moments, slope, gradient));
}

void gpuNormReluPoolDoubleBackward(const Block& block, int64_t images, Moments moments, const float* slope,
                                   BlockDirection direction, BlockSecondGradient gradient) {
  require(cuda::normReluPoolDoubleBackward(block, batchOf(images), moments, slope, direction, gradient));
}

#else

namespace {

[[noreturn]] void refuse() { throw std::logic_error("internal: the addon was compiled without kernels for a GPU"); }

}  // namespace

bool hasGpuKernels() { return false; }

std::string describeGpu() { return std::string("CUDA, blocks not fused (") + DISTILLERY_WITHOUT_KERNELS + ")"; }

void gpuNormReluPool(const Block&, int64_t, float, Moments, float*) { refuse(); }

void gpuNormReluPoolBackward(const Block&, int64_t, Moments, const float*, BlockGradient) { refuse(); }

void gpuNormReluPoolDoubleBackward(const Block&, int64_t, Moments, const float*, BlockDirection, BlockSecondGradient) {
  refuse();
}

#endif

}  // namespace distillery
