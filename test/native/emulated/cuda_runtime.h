// Enough of CUDA to run a kernel's source on the CPU, in place of CUDA's own header: the blocks of a grid one after
// another, the threads of a block as threads of the machine. So a sanitizer sees what they do to each other and to memory.
#pragma once

#include <barrier>
#include <cmath>
#include <functional>
#include <thread>
#include <vector>

#define __global__
#define __device__
#define __shared__ static  // one block at a time, so one copy is enough
#define __launch_bounds__(threads)

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  dim3() = default;
  dim3(unsigned x, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

inline thread_local dim3 threadIdx, blockIdx;
inline thread_local std::barrier<>* emulatedBarrier;
inline void __syncthreads() { emulatedBarrier->arrive_and_wait(); }

// The threads of a block. They stay from launch to launch: starting one takes longer than most kernels here.
class EmulatedThreads {
 public:
  explicit EmulatedThreads(unsigned count) : turn_(count + 1) {
    for (unsigned thread = 0; thread < count; thread++) {
      threads_.emplace_back([this, thread] {
        for (turn_.arrive_and_wait(); work_; turn_.arrive_and_wait()) {
          work_(thread);
          turn_.arrive_and_wait();
        }
      });
    }
  }
  ~EmulatedThreads() {
    work_ = nullptr;
    turn_.arrive_and_wait();
    for (std::thread& thread : threads_) thread.join();
  }

  // Runs work(thread) on all of them, and waits for it.
  void run(std::function<void(unsigned)> work) {
    work_ = std::move(work);
    turn_.arrive_and_wait();
    turn_.arrive_and_wait();
  }

 private:
  std::barrier<> turn_;
  std::function<void(unsigned)> work_;
  std::vector<std::thread> threads_;
};

using cudaStream_t = struct CUstream_st*;
enum cudaError_t { cudaSuccess };
inline const char* cudaGetErrorString(cudaError_t) { return "no error"; }
inline cudaError_t cudaGetLastError() { return cudaSuccess; }

struct cudaFuncAttributes {};
template <typename Kernel>
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes*, Kernel*) {
  return cudaSuccess;
}

struct cudaLaunchConfig_t {
  dim3 gridDim, blockDim;
  size_t dynamicSmemBytes = 0;
  cudaStream_t stream = nullptr;
};

// The first launch sets how many threads there are; all others must have blocks of as many.
inline EmulatedThreads& emulatedThreads(unsigned count) {
  static EmulatedThreads threads(count);
  return threads;
}

template <typename... Parameters, typename... Given>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...), Given... given) {
  const dim3 grid = config->gridDim, block = config->blockDim;
  std::barrier<> barrier(block.x * block.y);
  emulatedThreads(block.x * block.y).run([&](unsigned thread) {
    emulatedBarrier = &barrier;
    threadIdx = {thread % block.x, thread / block.x};
    for (unsigned i = 0; i < grid.x * grid.y; i++) {
      blockIdx = {i % grid.x, i / grid.x};
      kernel(given...);
      barrier.arrive_and_wait();  // the next block takes over the shared memory
    }
  });
  return cudaSuccess;
}
