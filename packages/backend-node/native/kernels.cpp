// Chooses among the compiled instruction sets; compiled once, for the baseline CPU.
#include "kernels.h"

#include <cstdlib>
#include <cstring>
#include <initializer_list>

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
#endif

const Kernels* kernelsOf(const char* isa) {
#if defined(__x86_64__)
  if (!std::strcmp(isa, "avx512")) {
    const bool supported = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    return supported ? &avx512::table : nullptr;
  }
  if (!std::strcmp(isa, "avx2"))
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &avx2::table : nullptr;
#endif
  return std::strcmp(isa, "portable") ? nullptr : &portable::table;
}

const Kernels& kernels() {
  static const Kernels& chosen = []() -> const Kernels& {
    if (const char* wanted = std::getenv("VITRAL_ISA"))
      if (const Kernels* named = kernelsOf(wanted)) return *named;
    for (const char* isa : {"avx512", "avx2"})
      if (const Kernels* best = kernelsOf(isa)) return *best;
    return portable::table;
  }();
  return chosen;
}

}  // namespace vitral
