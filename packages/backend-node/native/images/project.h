// Drawing an image anew through an affine map, as PIL does: the same rounding, so the same bytes.
#pragma once

#include <cstdint>

#include "resize.h"

namespace vitral {

// From the output's point (x, y) to the input's: (a·x + b·y + c, d·x + e·y + f).
struct AffineMap {
  double a, b, c, d, e, f;
};

// y has the shape of x; pixels that come from outside of x keep what y has there.
using ProjectImage = void(const ImageShape& shape, const uint8_t* x, const AffineMap& map, uint8_t* y);

#ifdef VITRAL_ISA
namespace VITRAL_ISA {
ProjectImage projectNearest, projectNearestInFloat, projectBilinear;
}  // namespace VITRAL_ISA
#endif

}  // namespace vitral
