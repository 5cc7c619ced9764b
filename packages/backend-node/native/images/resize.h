// Resizing, byte for byte as PIL does: the filter widens when an image shrinks, works along rows and then along columns
// in 22-bit fixed point, and rounds to bytes after each.
#pragma once

#include <cstdint>

namespace vitral {

struct ImageShape {
  int64_t height, width, channels;
  int64_t bytes() const { return height * width * channels; }
};

// PIL's numbers; nearest, its 0, is no filter.
enum class Filter { lanczos = 1, bilinear = 2, bicubic = 3, box = 4, hamming = 5 };

// x [height, width, channels] → y [newHeight, newWidth, channels].
using ResizeImage = void(const ImageShape& shape, const uint8_t* x, int64_t newHeight, int64_t newWidth, Filter filter,
                         uint8_t* y);

#ifdef VITRAL_ISA
namespace VITRAL_ISA {
ResizeImage resizeImage;
}  // namespace VITRAL_ISA
#endif

}  // namespace vitral
