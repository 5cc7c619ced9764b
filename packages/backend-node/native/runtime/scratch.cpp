// Each thread's scratch memory, as threads.h offers it.
#include "memory.h"
#include "threads.h"

namespace vitral {
namespace {
struct ScratchBuffers {
  float* data[(int)Scratch::slots] = {};
  int64_t floats[(int)Scratch::slots] = {};
#if !defined(__wasm__)  // whose threads never end
  ~ScratchBuffers() {
    for (float* buffer : data) freeAligned(buffer);
  }
#endif
};
}  // namespace

float* scratch(Scratch slot, int64_t floats) {
  thread_local ScratchBuffers buffers;
  const int i = (int)slot;
  if (buffers.floats[i] < floats) {
    freeAligned(buffers.data[i]);
    buffers.data[i] = nullptr;
    buffers.floats[i] = 0;
    buffers.data[i] = static_cast<float*>(allocateAligned((size_t)floats * sizeof(float)));
    if (!buffers.data[i]) outOfMemory((size_t)floats * sizeof(float));
    buffers.floats[i] = floats;
  }
  return buffers.data[i];
}

}  // namespace vitral
