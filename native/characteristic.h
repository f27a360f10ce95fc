// Empirical characteristic functions of groups of rows, differentiable to any order.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace distillery {

// Frequencies in the order in which the tiles read them, kept until others are asked for: a step takes several batches at
// the same ones. It costs a fiftieth of a batch of 2560 rows, and most of one of 10.
class PackedFrequencies {
 public:
  const at::Tensor& of(const at::Tensor& frequencies);

 private:
  // Weak, so that the frequencies themselves are not kept; their address is not given to others in the meantime.
  using Source = c10::weak_intrusive_ptr<at::TensorImpl, at::UndefinedTensorImpl>;
  Source source_ = Source(at::Tensor().getIntrusivePtr());
  at::Tensor panels_;
};

// Means of cos⟨ω, x⟩ and of sin⟨ω, x⟩ over groups of consecutive rows x.
//
// features [Σ counts, d], frequencies ω [f, d], counts >= 1 → {re, im}, each [groups, f]. Float32 on the CPU in tiles,
// with memory for a few of them; otherwise by libtorch's operations one after another, with an array of all angles.
std::vector<at::Tensor> characteristic(const at::Tensor& features, const at::Tensor& frequencies,
                                       const std::vector<int64_t>& counts, PackedFrequencies& packed);

}  // namespace distillery
