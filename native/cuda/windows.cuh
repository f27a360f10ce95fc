// What the block's kernels have in common: who does what, sums over a channel, and pooling windows.
//
// A thread block takes 32 channels of one image, one for each lane of a warp, so that what a warp reads or writes lies
// side by side. The positions are shared out among its warps. Sums are taken in a fixed order: same input, same bits.
//
// Comparisons are written so that NaN is not caught by them: it passes ReLU and maxima as NaN.
#pragma once

#include <cuda_runtime.h>

#include "normReluPool.h"

namespace distillery::cuda {

constexpr int kLanes = 32;
constexpr int kWarps = 8;

// Runs a kernel on all images and channels; returns what CUDA says against it, or nullptr.
template <typename... Parameters, typename... Given>
const char* launch(const Block& block, Batch batch, void (*kernel)(Parameters...), Given... given) {
  if (batch.images == 0 || block.channels == 0) return nullptr;
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(unsigned(batch.images), unsigned((block.channels + kLanes - 1) / kLanes));
  config.blockDim = dim3(kLanes, kWarps);
  config.stream = batch.stream;
  const cudaError_t error = cudaLaunchKernelEx(&config, kernel, given...);
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

// Combines the values that the warps of the thread block have for this lane, in their order. Every thread of the block
// must come here, once in a kernel.
template <typename Value, typename Combine>
__device__ Value overWarps(Value own, Combine combine) {
  __shared__ Value parts[kWarps][kLanes];
  parts[threadIdx.y][threadIdx.x] = own;
  __syncthreads();
  Value whole = parts[0][threadIdx.x];
  for (int warp = 1; warp < kWarps; warp++) whole = combine(whole, parts[warp][threadIdx.x]);
  return whole;
}

// ReLU's slope at z, times w. Times z it is ReLU itself.
inline __device__ float gate(float z, float w) { return z <= 0.f ? 0.f : w; }

// Pooling of ReLU in one window, whose values z stand row by row; as in simd/windows.h, it is a linear map taken at z:
//
//     pool     w at the positions → pooled: the derivative along w; along z it is the pooled ReLU itself
//     spread   slope with respect to pooled → slope g with respect to z
template <Pooling pooling>
struct Window;

template <>
struct Window<Pooling::none> {
  static constexpr int side = 1;
  static __device__ float pool(const float* z, const float* w) { return gate(z[0], w[0]); }
  static __device__ void spread(const float* z, float slope, float* g) { g[0] = gate(z[0], slope); }
};

template <>
struct Window<Pooling::average> {
  static constexpr int side = 2;
  static __device__ float pool(const float* z, const float* w) {
    return 0.25f * ((gate(z[0], w[0]) + gate(z[1], w[1])) + (gate(z[2], w[2]) + gate(z[3], w[3])));
  }
  static __device__ void spread(const float* z, float slope, float* g) {
    for (int i = 0; i < 4; i++) g[i] = gate(z[i], 0.25f * slope);
  }
};

template <>
struct Window<Pooling::maximum> {
  static constexpr int side = 2;
  // Of equals the first is the largest, and of NaN the first.
  struct Largest {
    float z, w;
    int place;
  };
  static __device__ Largest largest(const float* z, const float* w) {
    Largest found = {z[0], w[0], 0};
    for (int i = 1; i < 4; i++) {
      if (!(z[i] <= found.z) && found.z == found.z) found = {z[i], w[i], i};
    }
    return found;
  }
  static __device__ float pool(const float* z, const float* w) {
    const Largest top = largest(z, w);
    return gate(top.z, top.w);
  }
  static __device__ void spread(const float* z, float slope, float* g) {
    const Largest top = largest(z, z);
    for (int i = 0; i < 4; i++) g[i] = i == top.place ? gate(top.z, slope) : 0.f;
  }
};

// Calls `run` with the window of the pooling, as a type.
template <typename Run>
const char* withWindow(Pooling pooling, Run run) {
  switch (pooling) {
    case Pooling::average: return run(Window<Pooling::average>());
    case Pooling::maximum: return run(Window<Pooling::maximum>());
    case Pooling::none: break;
  }
  return run(Window<Pooling::none>());
}

// One channel of one image, as the threads of a lane see it. Lanes beyond the last channel repeat it, as every thread
// must reach the barrier, and write nothing.
template <typename Window>
struct Plane {
  static constexpr int side = Window::side, size = side * side;
  int64_t channels;
  int64_t channel, number;  // in the image, and over all images
  int64_t pixels, pooled;   // the channel's first number in the images, and in what they are pooled to
  int height, width;
  bool writes;

  __device__ explicit Plane(const Block& block)
      : channels(block.channels), height(int(block.height)), width(int(block.width)) {
    const int64_t asked = int64_t(blockIdx.y) * kLanes + threadIdx.x, image = blockIdx.x;
    writes = asked < channels;
    channel = writes ? asked : channels - 1;
    number = image * channels + channel;
    pixels = image * positions() * channels + channel;
    pooled = image * (height / side) * (width / side) * channels + channel;
  }

  __device__ int positions() const { return height * width; }

  // A window; those at the lower and right edge have no place in the pooled image where they are not whole.
  struct Part {
    int row, column;
    bool whole;
    int64_t pooled;
  };

  // Calls visit(part) for every window; the warps share them out.
  template <typename Visit>
  __device__ void forEachWindow(Visit visit) const {
    const int down = (height + side - 1) / side, across = (width + side - 1) / side, columns = width / side;
    for (int window = threadIdx.y; window < down * across; window += kWarps) {
      const int row = window / across, column = window % across;
      const bool whole = row < height / side && column < columns;
      visit(Part{row * side, column * side, whole, pooled + int64_t(row * columns + column) * channels});
    }
  }

  // Of a window's k-th position, row by row: its offset in the images, and whether the image reaches that far.
  __device__ int64_t offset(Part part, int k) const {
    return pixels + int64_t((part.row + k / side) * width + part.column + k % side) * channels;
  }
  __device__ bool inside(Part part, int k) const {
    return part.whole || (part.row + k / side < height && part.column + k % side < width);
  }
};

// The norm of one channel: z = (x − mean)·steepness + shift, steepness = scale·inverse.
struct Norm {
  float mean, inverse, steepness, shift;

  template <typename Window>
  __device__ Norm(const Block& block, Moments moments, const Plane<Window>& plane)
      : mean(moments.mean[plane.number]),
        inverse(moments.inverse[plane.number]),
        steepness(inverse * block.scale[plane.channel]),
        shift(block.shift[plane.channel]) {}
};

// What derivatives need at the positions of a window: x − mean, z and g. Where the image ends, nothing: x = mean, g = 0.
template <typename Window>
struct Values {
  static constexpr int size = Plane<Window>::size;
  float centered[size], z[size], g[size];

  __device__ Values(const Plane<Window>& plane, typename Plane<Window>::Part part, const Norm& norm,
                    const float* image, const float* slope) {
    for (int k = 0; k < size; k++) {
      centered[k] = plane.inside(part, k) ? image[plane.offset(part, k)] - norm.mean : 0.f;
      z[k] = centered[k] * norm.steepness + norm.shift;
    }
    Window::spread(z, part.whole ? slope[part.pooled] : 0.f, g);
  }
};

}  // namespace distillery::cuda
