// Memory for what kernels walk through.
#pragma once

#include <cstddef>

namespace vitral {

// At least so many bytes, aligned to a cache line, for freeAligned; null when there are none. Of 2 MiB and more it lies
// on large pages, where the system has them: a kernel would otherwise spend its time on address translation.
void* allocateAligned(size_t bytes);
void freeAligned(void* memory);

// Ends the call that needs so many bytes.
[[noreturn]] void outOfMemory(size_t bytes);

}  // namespace vitral
