#include "flip.h"

#include "../runtime/simd.h"

namespace vitral::VITRAL_ISA {

namespace {

template <int channels>
void flipPixels(int64_t width, const uint8_t* x, uint8_t* y) {
  for (int64_t i = 0; i < width; i++) std::memcpy(y + i * channels, x + (width - 1 - i) * channels, channels);
}

}  // namespace

void flipRows(int64_t height, int64_t width, int64_t channels, const uint8_t* x, uint8_t* y) {
  const int64_t row = width * channels;
  for (int64_t end = height * row; row && end; end -= row, x += row, y += row) {
    if (channels == 3) flipPixels<3>(width, x, y);
    else if (channels == 1) flipPixels<1>(width, x, y);
    else
      for (int64_t i = 0; i < width; i++)
        std::memcpy(y + i * channels, x + (width - 1 - i) * channels, (size_t)channels);
  }
}

}  // namespace vitral::VITRAL_ISA
