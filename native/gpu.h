// The GPU that tensors live on, and our own kernels for it.
#pragma once

#include <string>

#include "simd/normReluPool.h"

namespace distillery {

// Its name and memory where they are known, and why it goes without our kernels where it does.
std::string describeGpu();

// Whether our kernels run on it: they were compiled, and for such a GPU.
bool hasGpuKernels();

// simd/normReluPool.h's passes for so many images in the GPU's memory, of which `block` has the first. They run behind
// what libtorch has been asked for. Only where there are kernels.
void gpuNormReluPool(const Block& block, int64_t images, float epsilon, Moments moments, float* pooled);
void gpuNormReluPoolBackward(const Block& block, int64_t images, Moments moments, const float* slope,
                             BlockGradient gradient);
void gpuNormReluPoolDoubleBackward(const Block& block, int64_t images, Moments moments, const float* slope,
                                   BlockDirection direction, BlockSecondGradient gradient);

}  // namespace distillery
