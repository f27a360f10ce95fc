// Instance norm, ReLU and pooling of one image in one pass, float32, and both orders of its derivative. Plain C++: no
// libtorch.
#pragma once

#include <cstdint>

namespace distillery {

// Of 2×2 windows at stride 2: nothing, means, or maxima.
enum class Pooling { none, average, maximum };

// Rows or columns that pooling leaves.
inline int64_t pooledLength(Pooling pooling, int64_t length) { return pooling == Pooling::none ? length : length / 2; }

// One image [height, width, channels] and its parameters, each [channels].
struct Block {
  const float* image;
  const float* scale;
  const float* shift;
  int64_t height, width, channels;
  Pooling pooling;
};

// mean and 1/√(variance + epsilon) of each channel over its positions, [channels].
struct Moments {
  float* mean;
  float* inverse;
};

// pooled: [pooled height, pooled width, channels]. Fills `moments` on the way.
void normReluPool(const Block& block, float epsilon, Moments moments, float* pooled);

struct BlockGradient {
  float* image;  // [height, width, channels]
  float* scale;  // [channels], this image's part
  float* shift;  // [channels], this image's part
};

// slope: gradient with respect to `pooled`. `moments` are those of the forward pass.
void normReluPoolBackward(const Block& block, Moments moments, const float* slope, BlockGradient gradient);

// Slopes with respect to the members of a BlockGradient: a direction in the space of image, scale and shift.
struct BlockDirection {
  const float* image;  // [height, width, channels]
  const float* scale;  // [channels]
  const float* shift;  // [channels]
};

struct BlockSecondGradient {
  float* image;  // [height, width, channels]
  float* scale;  // [channels], this image's part
  float* slope;  // [pooled height, pooled width, channels]
};

// Gradient through normReluPoolBackward, from the slopes with respect to its results; it is zero with respect to shift.
void normReluPoolDoubleBackward(const Block& block, Moments moments, const float* slope, BlockDirection direction,
                                BlockSecondGradient gradient);

}  // namespace distillery
