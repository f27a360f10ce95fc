// Instance norm, ReLU and 2×2 average pooling of one image in one pass, float32. Plain C++: no libtorch.
#pragma once

#include <cstdint>

namespace distillery {

// One image [height, width, channels] and its parameters, each [channels].
struct Block {
  const float* image;
  const float* scale;
  const float* shift;
  int64_t height, width, channels;
};

// mean and 1/√(variance + epsilon) of each channel over its positions, [channels].
struct Moments {
  float* mean;
  float* inverse;
};

// pooled: [height/2, width/2, channels]. Fills `moments` on the way.
void normalizeReluPool(const Block& block, float epsilon, Moments moments, float* pooled);

struct BlockGradient {
  float* image;  // [height, width, channels]
  float* scale;  // [channels], this image's part
  float* shift;  // [channels], this image's part
};

// slope: gradient with respect to `pooled`. `moments` are those of the forward pass.
void normalizeReluPoolGradient(const Block& block, Moments moments, const float* slope, BlockGradient gradient);

}  // namespace distillery
