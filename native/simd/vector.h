// Sixteen floats as one value: one AVX-512 register, or as many smaller ones as the processor needs.
#pragma once

#include <cstdint>
#include <cstring>

namespace distillery {

using Vector = float __attribute__((vector_size(64)));
constexpr int64_t kLanes = 16;

inline Vector load(const float* from) {
  Vector v;
  std::memcpy(&v, from, sizeof v);
  return v;
}

inline void store(float* to, Vector v) { std::memcpy(to, &v, sizeof v); }

}  // namespace distillery
