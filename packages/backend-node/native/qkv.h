// Query, key and value as one linear layer of 3·C outputs, though their weights lie apart: its input is packed and read once,
// and the gradient of the input is one sum, not three.
#pragma once

#include "kernels.h"

namespace vitral {

// weights [C, C], biases [C] or null; x [M, C] → y [M, 3·C]: queries, keys, values.
void qkvForward(int64_t M, int64_t C, Numbers x, const float* const weights[3], const float* const biases[3],
                Precision precision, NumbersOut y);

// dx [M, C], dWeights [C, C] and dBiases [C] may be null, each by itself.
void qkvBackward(int64_t M, int64_t C, const float* dy, Numbers x, const float* const weights[3], Precision precision,
                 float* dx, float* const dWeights[3], float* const dBiases[3]);

// Whether any of three gradients is wanted.
inline bool wantsAny(float* const gradients[3]) { return gradients[0] || gradients[1] || gradients[2]; }

// The three as one: [3, C, C], and [3, C] with zeros where there is none.
void joinWeights(int64_t C, const float* const weights[3], float* joined);
void joinBiases(int64_t C, const float* const biases[3], float* joined);

}  // namespace vitral
