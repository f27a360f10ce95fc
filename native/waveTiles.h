// Characteristic functions and their gradients tile by tile: all angles at once would take a table of rows × frequencies.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <vector>

#include "simd/waves.h"

namespace distillery::waves {

using at::Tensor;
using Counts = std::vector<int64_t>;

// The frequencies in panels, as `packPanels` writes them.
Tensor packed(const Tensor& frequencies);

// Dense, float32, on the CPU.
struct Operands {
  Tensor features;     // [Σ counts, d]
  Tensor frequencies;  // [f, d]
  Tensor panels;       // of the frequencies
  Counts counts;

  int64_t width() const { return features.size(1); }
  int64_t panelCount() const { return panelsOf(frequencies.size(0)); }
  const float* row(int64_t i) const { return features.data_ptr<float>() + i * width(); }
  const float* panel(int64_t p) const { return panels.data_ptr<float>() + p * width() * kPanel; }
};

struct Parts {
  Tensor re, im;
};

// Means of cos⟨ω, x⟩ and sin⟨ω, x⟩ over the rows of each group, [groups, f].
Parts means(const Operands& operands);

// Gradients with respect to features and frequencies, those of them that are wanted:
//
//     ∂L/∂x = Σ_ω s ω,   ∂L/∂ω = Σ_x s x,   s = im cos⟨ω, x⟩ − re sin⟨ω, x⟩
//
// perRow: re and im of each group, [groups, f] and zeros up to whole panels: the slopes at its means, over its rows.
std::array<Tensor, 2> gradients(const Operands& operands, const Parts& perRow, std::array<bool, 2> wanted);

}  // namespace distillery::waves
