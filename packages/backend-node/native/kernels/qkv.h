// Query, key and value as one linear layer of 3·C outputs, though their weights lie apart: its input is packed and read
// once, and the gradient of the input is one sum, not three. M rows, C hidden size.
#pragma once

#include "dispatch.h"

namespace vitral {

// The parameters of query, key and value, in this order: weights [C, C], biases [C] or null.
template <class Float>
struct QkvTensors {
  Float *weight[3], *bias[3];
};

// x [M, C] → y [M, 3·C]: queries, keys, values. packed: the weights as packQkv wrote them, or null.
void qkvForward(int64_t M, int64_t C, FloatOrBf16 x, const QkvTensors<const float>& parameters, const float* packed,
                Precision precision, FloatOrBf16Out y);

// dx [M, C] and each of the gradients may be null.
void qkvBackward(int64_t M, int64_t C, const float* dy, FloatOrBf16 x, const float* const weights[3],
                 Precision precision, float* dx, const QkvTensors<float>& gradients);

// The three weights packed as one of 3·C outputs.
void packQkv(int64_t C, const float* const weights[3], float* packed, Precision precision);

// Whether any gradient of the parameters is wanted.
bool wantsAny(const QkvTensors<float>& gradients);

}  // namespace vitral
