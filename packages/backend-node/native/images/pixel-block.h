// RGB pixels in blocks of three planes, so that plain loops over them become vector instructions.
#pragma once

#include "../runtime/simd.h"

namespace vitral::VITRAL_ISA {

struct PixelBlock {
  static constexpr int pixels = 64;
  alignas(64) int32_t r[pixels], g[pixels], b[pixels];
};

VITRAL_INLINE void loadBlock(const uint8_t* from, PixelBlock& block) {
  for (int i = 0; i < PixelBlock::pixels; i++) {
    block.r[i] = from[3 * i];
    block.g[i] = from[3 * i + 1];
    block.b[i] = from[3 * i + 2];
  }
}
VITRAL_INLINE void storeBlock(const PixelBlock& block, uint8_t* to) {
  for (int i = 0; i < PixelBlock::pixels; i++) {
    to[3 * i] = (uint8_t)block.r[i];
    to[3 * i + 1] = (uint8_t)block.g[i];
    to[3 * i + 2] = (uint8_t)block.b[i];
  }
}

// body(block, first, count) for each block of n pixels; beyond `count` the last one is black.
template <class Body>
VITRAL_INLINE void readBlocks(int64_t n, const uint8_t* source, Body body) {
  PixelBlock block;
  int64_t i = 0;
  for (; i + PixelBlock::pixels <= n; i += PixelBlock::pixels) {
    loadBlock(source + 3 * i, block);
    body(block, i, (int64_t)PixelBlock::pixels);
  }
  if (i == n) return;
  uint8_t rest[3 * PixelBlock::pixels] = {};
  std::memcpy(rest, source + 3 * i, (size_t)(3 * (n - i)));
  loadBlock(rest, block);
  body(block, i, n - i);
}

// y = what body(block) leaves in each block of x, n pixels.
template <class Body>
VITRAL_INLINE void changeBlocks(int64_t n, const uint8_t* x, uint8_t* y, Body body) {
  readBlocks(n, x, [&](PixelBlock& block, int64_t first, int64_t count) {
    body(block);
    if (count == PixelBlock::pixels) return storeBlock(block, y + 3 * first);
    uint8_t rest[3 * PixelBlock::pixels];
    storeBlock(block, rest);
    std::memcpy(y + 3 * first, rest, (size_t)(3 * count));
  });
}

}  // namespace vitral::VITRAL_ISA
