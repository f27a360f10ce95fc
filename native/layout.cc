// Views, copies and joins: operations that move values and compute nothing.
#include <ATen/TensorIndexing.h>
#include <ATen/ops/alias.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/zeros.h>

#include <stdexcept>

#include "call.h"

namespace distillery {

namespace {

// (x) and the new shape
Tensor reshape(Call& call) { return call.tensor(0).reshape(call.list()); }

// (x) and the order of the axes
Tensor transpose(Call& call) { return call.tensor(0).permute(call.list()); }

// (x) and the new shape
Tensor broadcastTo(Call& call) { return call.tensor(0).expand(call.list()); }

// (x), the first positions and the lengths
Tensor slice(Call& call) {
  Tensor x = call.tensor(0);
  const Sizes begin = call.list(), size = call.list();
  if (begin.size() != static_cast<size_t>(x.dim()) || size.size() != begin.size()) {
    throw std::invalid_argument("expected one position and one length for every axis");
  }
  bool whole = true;
  for (size_t axis = 0; axis < begin.size(); axis++) {
    if (begin[axis] == 0 && size[axis] == x.size(axis)) continue;
    x = x.narrow(static_cast<int64_t>(axis), begin[axis], size[axis]);
    whole = false;
  }
  return whole ? at::alias(x) : x;
}

// (x) and the margins, last axis first, before and after
Tensor pad(Call& call) {
  const Tensor& x = call.tensor(0);
  const Sizes margins = call.list();
  if (x.numel() > 0) return at::constant_pad_nd(x, margins, 0);
  // libtorch refuses to put margins around nothing.
  Sizes padded = x.sizes().vec();
  if (margins.size() != 2 * padded.size()) throw std::invalid_argument("expected two margins for every axis");
  for (size_t i = 0; i < margins.size(); i++) padded[padded.size() - 1 - i / 2] += margins[i];
  return at::zeros(padded, x.options());
}

// (x, int32 positions, axis). On a GPU, index_select's gradient adds by atomics, in an order that changes from run to run;
// that of `index` sorts the positions first.
Tensor gather(Call& call) {
  const Tensor &x = call.tensor(0), &positions = call.tensor(1);
  const int64_t axis = call.integer(2);
  if (!x.is_cuda()) return at::index_select(x, axis, positions);
  std::vector<at::indexing::TensorIndex> indices(axis, at::indexing::Slice());
  indices.emplace_back(positions.to(at::kLong));
  return x.index(indices);
}

// (axis) and the tensors
Tensor concat(Call& call) { return at::cat(call.tensorList(), call.integer(0)); }

}  // namespace

std::vector<Export> layoutExports() {
  return {
      {"reshape", tensorResult<reshape>}, {"transpose", tensorResult<transpose>},
      {"broadcastTo", tensorResult<broadcastTo>}, {"slice", tensorResult<slice>},
      {"pad", tensorResult<pad>}, {"gather", tensorResult<gather>},
      {"concat", tensorResult<concat>},
  };
}

}  // namespace distillery
