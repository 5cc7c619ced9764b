#include "memory.h"

#include <sys/mman.h>

#include <cstdlib>
#include <new>

namespace vitral {

void* allocateAligned(size_t bytes) {
  constexpr size_t large = 2 << 20;
  const bool isLarge = bytes >= large;
  const size_t whole = isLarge ? (bytes + large - 1) / large * large : bytes;
  void* data = nullptr;
  if (posix_memalign(&data, isLarge ? large : 64, whole)) return nullptr;
#if defined(__linux__)
  if (isLarge) madvise(data, whole, MADV_HUGEPAGE);
#endif
  return data;
}

void freeAligned(void* memory) { std::free(memory); }

void outOfMemory(size_t) { throw std::bad_alloc(); }

}  // namespace vitral
