// The module that Node loads: one table of functions over libtorch.
#include <malloc.h>

#include <memory>
#include <mutex>

#include "call.h"

namespace distillery {

// By default glibc returns every large block to the system and faults it in again at the next step, which about
// doubles the time of a training step.
void keepMemory() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, INT32_MAX);
  mallopt(M_TOP_PAD, 64 << 20);
}

using Memory = std::shared_ptr<int32_t[]>;

void endBuffer(napi_env, void*, void* hint) { delete static_cast<Memory*>(hint); }

bool shareScratch(napi_env env, napi_value exports, const Memory& scratch) {
  napi_value buffer, array;
  const size_t length = Environment::kScratchLength;
  auto* shared = new Memory(scratch);
  if (napi_create_external_arraybuffer(env, scratch.get(), length * sizeof(int32_t), endBuffer, shared, &buffer) !=
      napi_ok) {
    delete shared;
    return false;
  }
  return napi_create_typedarray(env, napi_int32_array, length, buffer, 0, &array) == napi_ok &&
         napi_set_named_property(env, exports, "scratch", array) == napi_ok;
}

void endEnvironment(napi_env, void* data, void*) { delete static_cast<Environment*>(data); }

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

// Runs in every JavaScript environment that loads the addon: the main thread and workers, several at a time.
NAPI_MODULE_INIT() {
  using namespace distillery;
  static std::once_flag once;
  std::call_once(once, keepMemory);
  auto environment = std::make_unique<Environment>();
  bool done = shareScratch(env, exports, environment->scratch) &&
              napi_set_instance_data(env, environment.get(), endEnvironment, nullptr) == napi_ok;
  if (done) environment.release();
  for (const auto& table : {storageExports(), deviceExports(), arithmeticExports(), layoutExports(), networkExports(),
                            gradientExports(), probeExports()}) {
    done = done && define(env, exports, table);
  }
  if (!done) napi_throw_error(env, nullptr, "the torch addon could not be initialized");
  return exports;
}
