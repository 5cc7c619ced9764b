#include "project.h"

#include <cmath>

#include "../runtime/simd.h"

namespace vitral::VITRAL_ISA {

namespace {

// each(offset into x, offset into y) as a template, since the size of a pixel decides how it is copied.
template <class Project>
VITRAL_INLINE void withPixelSize(int64_t channels, Project project) {
  if (channels == 3) project([](uint8_t* to, const uint8_t* from) { std::memcpy(to, from, 3); });
  else if (channels == 1) project([](uint8_t* to, const uint8_t* from) { *to = *from; });
  else project([channels](uint8_t* to, const uint8_t* from) { std::memcpy(to, from, (size_t)channels); });
}

}  // namespace

// Positions step in 16.16 fixed point from the center of the first pixel, modulo 2^32.
void projectNearest(const ImageShape& shape, const uint8_t* x, const AffineMap& map, uint8_t* y) {
  const auto fixed = [](double value) { return (uint32_t)(int64_t)std::floor(value * 65536 + 0.5); };
  const uint32_t stepX = fixed(map.a), stepY = fixed(map.d), rowX = fixed(map.b), rowY = fixed(map.e);
  uint32_t startX = fixed(map.c + map.a * 0.5 + map.b * 0.5), startY = fixed(map.f + map.d * 0.5 + map.e * 0.5);
  const int64_t width = shape.width, height = shape.height, channels = shape.channels;
  withPixelSize(channels, [&](auto copyPixel) {
    for (int64_t j = 0; j < height; j++, startX += rowX, startY += rowY) {
      uint32_t fromX = startX, fromY = startY;
      for (int64_t i = 0; i < width; i++, fromX += stepX, fromY += stepY, y += channels) {
        const int32_t column = (int32_t)fromX >> 16, row = (int32_t)fromY >> 16;
        if (column < 0 || column >= width || row < 0 || row >= height) continue;
        copyPixel(y, x + (row * width + column) * channels);
      }
    }
  });
}

// Positions are sums of steps, whose rounding decides where a center is on the edge of two pixels.
void projectNearestInFloat(const ImageShape& shape, const uint8_t* x, const AffineMap& map, uint8_t* y) {
  double startX = map.c + map.b * 0.5 + map.a * 0.5, startY = map.f + map.e * 0.5 + map.d * 0.5;
  const int64_t width = shape.width, height = shape.height, channels = shape.channels;
  withPixelSize(channels, [&](auto copyPixel) {
    for (int64_t j = 0; j < height; j++, startX += map.b, startY += map.e) {
      double fromX = startX, fromY = startY;
      for (int64_t i = 0; i < width; i++, fromX += map.a, fromY += map.d, y += channels)
        if (fromX >= 0 && fromX < (double)width && fromY >= 0 && fromY < (double)height)
          copyPixel(y, x + ((int64_t)fromY * width + (int64_t)fromX) * channels);
    }
  });
}

// Positions are exact; the mean of four neighbours, clamped to the image, is cut to a byte, not rounded.
void projectBilinear(const ImageShape& shape, const uint8_t* x, const AffineMap& map, uint8_t* y) {
  const int64_t width = shape.width, height = shape.height, channels = shape.channels, rowLength = width * channels;
  const auto mix = [](double from, double to, double share) { return from + (to - from) * share; };
  for (int64_t j = 0; j < height; j++) {
    const double xByRow = map.b * ((double)j + 0.5), yByRow = map.e * ((double)j + 0.5);
    for (int64_t i = 0; i < width; i++, y += channels) {
      const double fromX = map.a * ((double)i + 0.5) + xByRow + map.c;
      const double fromY = map.d * ((double)i + 0.5) + yByRow + map.f;
      if (!(fromX >= 0 && fromX < (double)width && fromY >= 0 && fromY < (double)height)) continue;
      const int64_t column = fromX < 0.5 ? -1 : (int64_t)(fromX - 0.5), row = fromY < 0.5 ? -1 : (int64_t)(fromY - 0.5);
      const double alongX = fromX - 0.5 - (double)column, alongY = fromY - 0.5 - (double)row;
      const int64_t left = column < 0 ? 0 : column * channels, upper = row < 0 ? 0 : row * rowLength;
      const int64_t right = column < width - 1 ? (column + 1) * channels : left;
      const int64_t lower = row < height - 1 ? (row + 1) * rowLength : upper;
      for (int64_t k = 0; k < channels; k++) {
        const double top = mix(x[upper + left + k], x[upper + right + k], alongX);
        const double bottom = mix(x[lower + left + k], x[lower + right + k], alongX);
        y[k] = (uint8_t)mix(top, bottom, alongY);
      }
    }
  }
}

}  // namespace vitral::VITRAL_ISA
