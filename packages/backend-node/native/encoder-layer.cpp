#include "encoder-layer.h"

#include <algorithm>

namespace vitral {

// The widest of what a layer computes share one place: attention has used up q, k and v when the network begins.
static int64_t widest(const EncoderLayerShape& shape) { return std::max(3 * shape.hiddenSize, shape.intermediateSize); }

int64_t encoderLayerFloats(const EncoderLayerShape& shape) {
  return shape.rows() * (2 * shape.hiddenSize + widest(shape));
}

// Number: what the ops leave for the next product, float or the words of bfloat16.
template <class Number>
static void run(const EncoderLayerShape& shape, const EncoderLayerWeights& weights, Precision precision, const float* x,
                float* between, float* y) {
  const int64_t M = shape.rows(), C = shape.hiddenSize, I = shape.intermediateSize, H = shape.numHeads;
  const Kernels& kernel = kernels();
  float* joined = between;
  Number *narrow = (Number*)(joined + M * C), *wide = narrow + M * C;
  const auto norm = [&](const NormWeights& norm, const float* from) {
    kernel.layerNormForward(M, C, from, norm.weight, norm.bias, shape.eps, narrow, nullptr, nullptr);
  };
  const auto linear = [&](const PackedLinear& layer, int64_t inputs, int64_t outputs, const Number* from, bool ofGelu,
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
  linear(weights.up, C, I, narrow, false, nullptr, wide);
  linear(weights.down, I, C, wide, true, joined, y);
}

void encoderLayer(const EncoderLayerShape& shape, const EncoderLayerWeights& weights, Precision precision, const float* x,
                  float* between, float* y) {
  (precision == Precision::bfloat16 ? run<uint16_t> : run<float>)(shape, weights, precision, x, between, y);
}

}  // namespace vitral
