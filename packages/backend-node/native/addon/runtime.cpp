// Memory, threads, and what this machine is.
#include <chrono>

#include <sys/mman.h>
#include <unistd.h>

#include "../kernels/dispatch.h"
#include "../runtime/memory.h"
#include "exports.h"
#include "multiply-add.h"

namespace vitral::exported {

napi_value allocate(Arguments& a) {
  const auto bytes = (size_t)a.size("bytes");
  void* data = allocateAligned(bytes);
  if (!data) throw OutOfMemory((int64_t)bytes);
  napi_value buffer;
  const auto release = [](napi_env, void* memory, void*) { freeAligned(memory); };
  if (napi_create_external_arraybuffer(a.env(), data, bytes, release, nullptr, &buffer) != napi_ok) {
    freeAligned(data);
    throw OutOfMemory((int64_t)bytes);
  }
  return buffer;
}

napi_value discard(Arguments& a) {
  int64_t bytes = 0;
  const uintptr_t data = (uintptr_t)a.buffer("buffer", &bytes);
  const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  const uintptr_t begin = (data + page - 1) / page * page, end = (data + (uintptr_t)bytes) / page * page;
#if defined(__APPLE__)
  constexpr int advice = MADV_FREE;
#else
  constexpr int advice = MADV_DONTNEED;
#endif
  if (begin < end) madvise((void*)begin, end - begin, advice);
  return nullptr;
}

napi_value threads(Arguments& a) { return toJs(a.env(), threadCount()); }

napi_value setThreads(Arguments& a) {
  const int64_t count = a.size("threads");
  if (count > 256) throwArgumentError("threads is more than 256");
  setThreadCount((int)count);
  return nullptr;
}

napi_value instructionSet(Arguments& a) {
  napi_value result;
  check(napi_create_string_utf8(a.env(), kernels().isa, NAPI_AUTO_LENGTH, &result));
  return result;
}

napi_value multiplyAdd(Arguments& a) {
  const double operations = a.number("operations");
  const int64_t threads = a.size("threads");
  if (threads > 256) throwArgumentError("threads is more than 256");
  const auto now = [] {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
  };
  return toJs(a.env(), multiplyAddMilliseconds(operations, (int)threads, now));
}

}  // namespace vitral::exported
