// Instance norm, ReLU and pooling on an NVIDIA GPU: what simd/normReluPool.h does to one image, for all images of a batch.
// Plain C++: neither libtorch nor CUDA's headers.
#pragma once

#include "../simd/normReluPool.h"

struct CUstream_st;  // what a cudaStream_t points to

namespace distillery::cuda {

struct Batch {
  int64_t images;
  CUstream_st* stream;
};

// The arrays lie in the GPU's memory, those of one image after those of another; `block` has the first image. What is
// asked for runs when the stream comes to it.
//
// All return what CUDA says against the launch, or nullptr.
const char* normReluPool(const Block& block, Batch batch, float epsilon, Moments moments, float* pooled);
const char* normReluPoolBackward(const Block& block, Batch batch, Moments moments, const float* slope,
                                 BlockGradient gradient);
const char* normReluPoolDoubleBackward(const Block& block, Batch batch, Moments moments, const float* slope,
                                       BlockDirection direction, BlockSecondGradient gradient);

// Why none of this can run here, as on a GPU or with a driver that it was not compiled for; nullptr where it can.
const char* normReluPoolProblem();

}  // namespace distillery::cuda
