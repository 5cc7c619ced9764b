#include "color.h"

#include "pixel-block.h"

namespace vitral::VITRAL_ISA {

namespace {

// In single precision, as PIL has it; what is not a number becomes 0.
VITRAL_INLINE int32_t blendByte(int32_t from, int32_t value, float share) {
  float blended = (float)from + share * (float)(value - from);
  blended = blended > 0 ? blended : 0;
  return (int32_t)(blended < 255 ? blended : 255);
}

VITRAL_INLINE int32_t lumaOf(int32_t r, int32_t g, int32_t b) {
  return (r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16;
}

}  // namespace

void blendWithGrey(int64_t n, const uint8_t* __restrict x, int32_t grey, float share, uint8_t* __restrict y) {
  for (int64_t i = 0; i < n; i++) y[i] = (uint8_t)blendByte(grey, x[i], share);
}

void blendWithLuma(int64_t n, const uint8_t* x, float share, uint8_t* y) {
  changeBlocks(n, x, y, [=](PixelBlock& block) {
    for (int i = 0; i < PixelBlock::pixels; i++) {
      const int32_t grey = lumaOf(block.r[i], block.g[i], block.b[i]);
      block.r[i] = blendByte(grey, block.r[i], share);
      block.g[i] = blendByte(grey, block.g[i], share);
      block.b[i] = blendByte(grey, block.b[i], share);
    }
  });
}

void luma(int64_t n, const uint8_t* x, uint8_t* y) {
  readBlocks(n, x, [=](const PixelBlock& block, int64_t first, int64_t count) {
    uint8_t values[PixelBlock::pixels];
    for (int i = 0; i < PixelBlock::pixels; i++) values[i] = (uint8_t)lumaOf(block.r[i], block.g[i], block.b[i]);
    std::memcpy(y + first, values, (size_t)count);
  });
}

int64_t lumaSum(int64_t n, const uint8_t* x) {
  int64_t total = 0;
  readBlocks(n, x, [&](const PixelBlock& block, int64_t, int64_t) {
    int32_t sum = 0;  // the black pixels after the last have luma 0
    for (int i = 0; i < PixelBlock::pixels; i++) sum += lumaOf(block.r[i], block.g[i], block.b[i]);
    total += sum;
  });
  return total;
}

}  // namespace vitral::VITRAL_ISA
