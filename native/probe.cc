// Two mistakes on purpose, in the build with sanitizers alone. A test makes them, to see that they are caught.
#include <ATen/ops/zeros.h>

#include "call.h"

namespace distillery {

#ifdef __SANITIZE_ADDRESS__

namespace {

// (position): a number of a tensor of eight, wherever the position points.
napi_value readAt(Call& call) {
  const Tensor numbers = at::zeros({8});
  return numberValue(call.env(), numbers.data_ptr<float>()[call.integer(0)]);
}

// (number): the number after it, which may not be an int32.
napi_value successor(Call& call) { return numberValue(call.env(), call.integer(0) + 1); }

}  // namespace

std::vector<Export> probeExports() {
  return {{"readAt", plainResult<readAt>}, {"successor", plainResult<successor>}};
}

#else

std::vector<Export> probeExports() { return {}; }

#endif

}  // namespace distillery
