// Vectors of bytes widened to int32, and back.
#pragma once

#include "../simd.h"

namespace vitral::VITRAL_ISA {

typedef uint8_t Vb __attribute__((vector_size(lanes)));
typedef int32_t Vi4 __attribute__((vector_size(16)));
typedef uint8_t Vb4 __attribute__((vector_size(4)));

VITRAL_INLINE Vi loadBytes(const uint8_t* from) {
  Vb bytes;
  std::memcpy(&bytes, from, sizeof bytes);
  return __builtin_convertvector(bytes, Vi);
}
// Of lanes from 0 to 255.
VITRAL_INLINE void storeBytes(uint8_t* to, Vi x) {
  const Vb bytes = __builtin_convertvector(x, Vb);
  std::memcpy(to, &bytes, sizeof bytes);
}
VITRAL_INLINE Vi cutToByte(Vi x) {
  x = x > 0 ? x : 0;
  return x < 255 ? x : 255;
}

VITRAL_INLINE Vi4 loadFourBytes(const uint8_t* from) {
  Vb4 bytes;
  std::memcpy(&bytes, from, sizeof bytes);
  return __builtin_convertvector(bytes, Vi4);
}

}  // namespace vitral::VITRAL_ISA
