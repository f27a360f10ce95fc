// The module that Node loads: one table of functions over libtorch.
#include <malloc.h>

#include "call.h"

namespace distillery {

// By default glibc returns every large block to the system and faults it in again at the next step, which about
// doubles the time of a training step.
void keepMemory() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, INT32_MAX);
  mallopt(M_TOP_PAD, 64 << 20);
}

bool shareScratch(napi_env env, napi_value exports, Environment& environment) {
  napi_value buffer, array;
  void* data = nullptr;
  const size_t length = Environment::kScratchLength;
  if (napi_create_arraybuffer(env, length * sizeof(int32_t), &data, &buffer) != napi_ok) return false;
  environment.scratch = static_cast<int32_t*>(data);
  return napi_create_reference(env, buffer, 1, &environment.scratchBuffer) == napi_ok &&
         napi_create_typedarray(env, napi_int32_array, length, buffer, 0, &array) == napi_ok &&
         napi_set_named_property(env, exports, "scratch", array) == napi_ok;
}

void endEnvironment(napi_env env, void* data, void*) {
  auto* environment = static_cast<Environment*>(data);
  napi_delete_reference(env, environment->scratchBuffer);
  delete environment;
}

bool define(napi_env env, napi_value exports, const std::vector<Export>& table) {
  for (const Export& entry : table) {
    napi_value function;
    if (napi_create_function(env, entry.name, NAPI_AUTO_LENGTH, entry.callback, nullptr, &function) != napi_ok ||
        napi_set_named_property(env, exports, entry.name, function) != napi_ok) {
      return false;
    }
  }
  return true;
}

}  // namespace distillery

NAPI_MODULE_INIT() {
  using namespace distillery;
  keepMemory();
  auto* environment = new Environment();
  bool done = shareScratch(env, exports, *environment) &&
              napi_set_instance_data(env, environment, endEnvironment, nullptr) == napi_ok;
  for (const auto& table : {storageExports(), deviceExports(), arithmeticExports(), layoutExports(), networkExports(),
                            gradientExports(), probeExports()}) {
    done = done && define(env, exports, table);
  }
  if (!done) napi_throw_error(env, nullptr, "the torch addon could not be initialized");
  return exports;
}
