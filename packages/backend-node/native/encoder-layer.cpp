#include "encoder-layer.h"

#include <algorithm>

namespace vitral {

// The widest of what a layer computes share one place: attention has used up q, k and v when the network begins.
static int64_t widest(const EncoderLayerShape& shape) { return std::max(3 * shape.hiddenSize, shape.intermediateSize); }

int64_t encoderLayerFloats(const EncoderLayerShape& shape) {
  return shape.rows() * (2 * shape.hiddenSize + widest(shape));
}

void encoderLayer(const EncoderLayerShape& shape, const EncoderLayerWeights& weights, Precision precision, const float* x,
                  float* between, float* y) {
  const int64_t M = shape.rows(), C = shape.hiddenSize, I = shape.intermediateSize, H = shape.numHeads;
  const Kernels& kernel = kernels();
  float *narrow = between, *joined = narrow + M * C, *wide = joined + M * C;
  const auto norm = [&](const NormWeights& norm, const float* from) {
    kernel.layerNormForward(M, C, from, norm.weight, norm.bias, shape.eps, narrow, nullptr, nullptr);
  };
  const auto linear = [&](const PackedLinear& layer, int64_t inputs, int64_t outputs, Numbers from, bool ofGelu,
                          const float* residual, NumbersOut to) {
    kernel.linearForward(M, inputs, outputs, from, ofGelu, nullptr, layer.weight, layer.bias, {}, residual, precision, to,
                         outputs);
  };
  norm(weights.normBefore, x);
  linear(weights.qkv, C, 3 * C, narrow, false, nullptr, wide);
  kernel.attentionForward(shape.batch, shape.tokens, H, C / H, wide, (float)shape.scale, 0, 0,
                          precision == Precision::int8 ? Precision::float32 : precision, narrow, nullptr);
  linear(weights.projection, C, C, narrow, false, x, joined);
  norm(weights.normAfter, joined);
  if (precision == Precision::bfloat16) {
    uint16_t* hidden = (uint16_t*)wide;  // as linear stores it
    linear(weights.up, C, I, narrow, false, nullptr, hidden);
    linear(weights.down, I, C, hidden, true, joined, y);
  } else {
    linear(weights.up, C, I, narrow, false, nullptr, wide);
    linear(weights.down, I, C, wide, true, joined, y);
  }
}

}  // namespace vitral
