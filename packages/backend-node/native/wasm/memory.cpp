// The module's memory: a heap for tensors and scratch memory behind memory.h, and what a single call needs besides.
#include "../runtime/memory.h"

#include <atomic>
#include <cstdint>
#include <new>

#include "call.h"
#include "host.h"

extern "C" uint8_t __heap_base;

namespace vitral {
namespace {

constexpr uint32_t page = 65536, line = 64;

// A block begins with a line that tells its size; a free one is in the list, which is in the order of addresses.
struct alignas(line) Block {
  uint32_t bytes;  // with this line
  Block* next;
};

std::atomic<bool> locked{false};
Block* firstFree = nullptr;
uint32_t end = 0;  // of what is in blocks; 0 before the first

struct Lock {
  Lock() {
    while (locked.exchange(true, std::memory_order_acquire)) {}
  }
  ~Lock() { locked.store(false, std::memory_order_release); }
};

void insert(Block* block) {
  Block** link = &firstFree;
  Block* before = nullptr;
  while (*link && *link < block) before = *link, link = &before->next;
  block->next = *link;
  *link = block;
  if (block->next && (uint8_t*)block + block->bytes == (uint8_t*)block->next) {
    block->bytes += block->next->bytes;
    block->next = block->next->next;
  }
  if (before && (uint8_t*)before + before->bytes == (uint8_t*)block) {
    before->bytes += block->bytes;
    before->next = block->next;
  }
}

// More memory at the end; false where there is none.
bool grow(uint64_t bytes) {
  if (end == 0) end = ((uint32_t)(uintptr_t)&__heap_base + line - 1) / line * line;
  const uint64_t size = (uint64_t)__builtin_wasm_memory_size(0) * page;
  if (end + bytes > size) {
    const uint64_t pages = (end + bytes - size + page - 1) / page;
    if (size / page + pages > 65535 || __builtin_wasm_memory_grow(0, (size_t)pages) == (size_t)-1) return false;
  }
  Block* block = (Block*)end;
  block->bytes = (uint32_t)bytes;
  end += (uint32_t)bytes;
  insert(block);
  return true;
}

// The smallest free block that is large enough is cut.
void* take(uint32_t bytes) {
  Block** found = nullptr;
  for (Block** link = &firstFree; *link; link = &(*link)->next)
    if ((*link)->bytes >= bytes && (!found || (*link)->bytes < (*found)->bytes)) found = link;
  if (!found) return nullptr;
  Block* block = *found;
  if (block->bytes - bytes >= 2 * line) {
    Block* rest = (Block*)((uint8_t*)block + bytes);
    rest->bytes = block->bytes - bytes;
    rest->next = block->next;
    block->bytes = bytes;
    *found = rest;
  } else {
    *found = block->next;
  }
  return block + 1;
}

}  // namespace

void* allocateAligned(size_t bytes) {
  const uint64_t whole = ((uint64_t)bytes + line - 1) / line * line + line;
  if (whole > 0xffff0000) return nullptr;
  Lock lock;
  if (void* taken = take((uint32_t)whole)) return taken;
  return grow(whole) ? take((uint32_t)whole) : nullptr;
}

void freeAligned(void* memory) {
  if (!memory) return;
  Lock lock;
  insert((Block*)memory - 1);
}

}  // namespace vitral

// Containers hold the arguments of a call alone, and a call may end in a JavaScript error, after which nobody would
// free them: their memory is cut from one piece, which begins anew with each call.
namespace {
constexpr uint32_t callBytes = 256 << 10;
alignas(16) uint8_t callMemory[callBytes];
uint32_t callUsed = 0;
}  // namespace

void vitral::beginCall() { callUsed = 0; }

void* operator new(size_t bytes) {
  const uint32_t whole = ((uint32_t)bytes + 15) / 16 * 16;
  if (bytes > callBytes || callUsed + whole > callBytes) hostOutOfMemory((double)bytes);
  void* memory = callMemory + callUsed;
  callUsed += whole;
  return memory;
}
void operator delete(void*) noexcept {}
void operator delete(void*, size_t) noexcept {}
