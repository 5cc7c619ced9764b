// Changes of colour, byte for byte those of PIL. Images are n pixels of RGB bytes unless a legend says otherwise.
#pragma once

#include <cstdint>

namespace vitral {

// y = grey + share·(x − grey), cut to a byte, over n bytes: PIL's blend with an image of one grey.
using BlendWithGrey = void(int64_t n, const uint8_t* x, int32_t grey, float share, uint8_t* y);
// The same with each pixel's own luma as the grey.
using BlendWithLuma = void(int64_t n, const uint8_t* x, float share, uint8_t* y);
// y[i] = the luma of pixel i, ITU-R 601-2 in 16-bit fixed point.
using Luma = void(int64_t n, const uint8_t* x, uint8_t* y);
using LumaSum = int64_t(int64_t n, const uint8_t* x);
// RGB → HSV in bytes, hue moved by `shift` around the circle of 256 → RGB.
using AdjustHue = void(int64_t n, const uint8_t* x, int32_t shift, uint8_t* y);

#ifdef VITRAL_ISA
namespace VITRAL_ISA {
BlendWithGrey blendWithGrey;
BlendWithLuma blendWithLuma;
Luma luma;
LumaSum lumaSum;
AdjustHue adjustHue;
}  // namespace VITRAL_ISA
#endif

}  // namespace vitral
