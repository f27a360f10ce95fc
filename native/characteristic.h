// Empirical characteristic functions of groups of rows, differentiable to any order.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace distillery {

// Means of cos⟨ω, x⟩ and of sin⟨ω, x⟩ over groups of consecutive rows x.
//
// features [Σ counts, d], frequencies ω [f, d], counts >= 1 → {re, im}, each [groups, f]. Float32 on the CPU in tiles,
// with memory for a few of them; otherwise by libtorch's operations one after another, with an array of all angles.
std::vector<at::Tensor> characteristic(const at::Tensor& features, const at::Tensor& frequencies,
                                       const std::vector<int64_t>& counts);

}  // namespace distillery
