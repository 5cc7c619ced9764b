// The size of a packed weight, which linear, qkv and the encoder take.
#pragma once

#include "arguments.h"

namespace vitral::exported {

// Floats of a packed weight; throws when there are too many, or when its products have more terms than int8 sums.
int64_t packedFloats(int64_t K, int64_t N, Precision precision);

}  // namespace vitral::exported
