#include "apply-lut.h"

#include "pixel-block.h"

namespace vitral::VITRAL_ISA {

void applyLut(int64_t n, int64_t channels, const uint8_t* x, const float* table, float* y) {
  if (channels != 3) {
    for (int64_t c = 0; c < channels; c++, table += 256)
      for (int64_t i = 0; i < n; i++) *y++ = table[x[i * channels + c]];
    return;
  }
  const float *reds = table, *greens = table + 256, *blues = table + 512;
  readBlocks(n, x, [=](const PixelBlock& block, int64_t first, int64_t count) {
    float *r = y + first, *g = r + n, *b = g + n;
    for (int64_t i = 0; i < count; i++) {
      r[i] = reds[block.r[i]];
      g[i] = greens[block.g[i]];
      b[i] = blues[block.b[i]];
    }
  });
}

}  // namespace vitral::VITRAL_ISA
