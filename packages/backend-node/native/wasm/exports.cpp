// What the host can call. It calls one at a time, from the thread that made the module.
#include "../addon/exports.h"

#include "../addon/multiply-add.h"
#include "../kernels/dispatch.h"
#include "../runtime/memory.h"
#include "call.h"
#include "host.h"

#define VITRAL_EXPORT(name) extern "C" __attribute__((export_name(#name)))

namespace vitral {

namespace VITRAL_WASM_ISA {
extern const Kernels table;
}

const Kernels& kernels() { return VITRAL_WASM_ISA::table; }

}  // namespace vitral

#define VITRAL_ENTRY(name)                       \
  VITRAL_EXPORT(name) void vitralCall_##name() { \
    vitral::beginCall();                         \
    vitral::Arguments arguments(0);              \
    vitral::exported::name(arguments);           \
  }
VITRAL_OPS(VITRAL_ENTRY)

VITRAL_EXPORT(allocate) uint32_t vitralAllocate(double bytes) {
  return bytes > 4294967296.0 ? 0 : (uint32_t)vitral::allocateAligned((size_t)bytes);
}
VITRAL_EXPORT(release) void vitralRelease(uint32_t address) { vitral::freeAligned((void*)address); }
VITRAL_EXPORT(threads) int32_t vitralThreads() { return vitral::threadCount(); }
VITRAL_EXPORT(setThreads) void vitralSetThreads(int32_t count) { vitral::setThreadCount(count); }

// Milliseconds of so many operations, as multiplyAdd of the addon.
VITRAL_EXPORT(multiplyAdd) double vitralMultiplyAdd(double operations, int32_t threads) {
  return vitral::multiplyAddMilliseconds(operations, threads, hostNow);
}
