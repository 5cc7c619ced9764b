// Chooses among the compiled instruction sets; compiled once, for the baseline CPU.
#include "dispatch.h"

#include <cstdlib>
#include <cstring>
#include <initializer_list>

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace vitral {

namespace portable {
extern const Kernels table;
}
#if defined(__x86_64__)
namespace avx2 {
extern const Kernels table;
}
namespace avx512 {
extern const Kernels table;
}
namespace avx512bf16 {
extern const Kernels table;
}
namespace amx {
extern const Kernels table;
}
#endif

#if defined(__x86_64__)
namespace {

bool hasAvx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

// The tile registers are 8 KB that Linux saves for a process only once it has asked; what it grants holds for all
// threads, and is refused where the system does not know them.
bool hasAmx() {
#if defined(__linux__)
  constexpr unsigned tiles = 1u << 24, bfloat16 = 1u << 22;
  constexpr long requestPermission = 0x1023, tileData = 18;
  unsigned a, b, c, d = 0;
  static const bool granted = hasAvx512() && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & tiles) && (d & bfloat16) &&
                              !syscall(SYS_arch_prctl, requestPermission, tileData);
  return granted;
#else
  return false;
#endif
}

}  // namespace
#endif

const Kernels* kernelsOf(const char* isa) {
#if defined(__x86_64__)
  if (!std::strcmp(isa, "amx")) return hasAmx() ? &amx::table : nullptr;
  if (!std::strcmp(isa, "avx512bf16"))
    return hasAvx512() && __builtin_cpu_supports("avx512bf16") ? &avx512bf16::table : nullptr;
  if (!std::strcmp(isa, "avx512")) return hasAvx512() ? &avx512::table : nullptr;
  if (!std::strcmp(isa, "avx2"))
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &avx2::table : nullptr;
#endif
  return std::strcmp(isa, "portable") ? nullptr : &portable::table;
}

const Kernels& kernels() {
  static const Kernels& chosen = []() -> const Kernels& {
    if (const char* wanted = std::getenv("VITRAL_ISA"))
      if (const Kernels* named = kernelsOf(wanted)) return *named;
    for (const char* isa : {"amx", "avx512bf16", "avx512", "avx2"})
      if (const Kernels* best = kernelsOf(isa)) return *best;
    return portable::table;
  }();
  return chosen;
}

}  // namespace vitral
