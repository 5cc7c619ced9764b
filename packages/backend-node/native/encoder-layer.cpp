#include "encoder-layer.h"

#include <algorithm>
#include <cstring>

namespace vitral {

// The widest of what a layer computes share one place: attention has used up q, k and v when the network begins.
static int64_t widest(const EncoderLayerShape& shape) { return std::max(3 * shape.hiddenSize, shape.intermediateSize); }

int64_t encoderLayerFloats(const EncoderLayerShape& shape) {
  return shape.batch * shape.tokens * (2 * shape.hiddenSize + widest(shape));
}

// The tokens of x that y has, side by side as there: x, or y, to which they are moved.
static const float* residual(const EncoderLayerShape& shape, const float* x, float* y) {
  if (shape.outputTokens == shape.tokens) return x;
  const int64_t floats = shape.outputTokens * shape.hiddenSize;
  for (int64_t b = 0; b < shape.batch; b++)
    std::memmove(y + b * floats, x + b * shape.tokens * shape.hiddenSize, floats * sizeof(float));
  return y;
}

// Number: what the ops leave for the next product, float or the words of bfloat16.
template <class Number>
static void run(const EncoderLayerShape& shape, const EncoderLayerWeights& weights, Precision precision, const float* x,
                float* between, float* y) {
  const int64_t C = shape.hiddenSize, I = shape.intermediateSize, H = shape.numHeads;
  const int64_t read = shape.batch * shape.tokens, M = shape.batch * shape.outputTokens;  // rows
  const Kernels& kernel = kernels();
  float* joined = between;
  Number *narrow = (Number*)(joined + read * C), *wide = narrow + read * C;
  const auto norm = [&](const NormWeights& norm, int64_t rows, const float* from) {
    kernel.layerNormForward(rows, C, from, norm.weight, norm.bias, shape.eps, narrow, nullptr, nullptr);
  };
  const auto linear = [&](const PackedLinear& layer, int64_t rows, int64_t inputs, int64_t outputs, const Number* from,
                          bool ofGelu, const float* residual, NumbersOut to) {
    kernel.linearForward(rows, inputs, outputs, from, ofGelu, nullptr, layer.weight, layer.bias, {}, residual, precision, to,
                         outputs);
  };
  norm(weights.normBefore, read, x);
  linear(weights.qkv, read, C, 3 * C, narrow, false, nullptr, wide);
  kernel.attentionForward(shape.batch, shape.tokens, shape.outputTokens, H, C / H, wide, (float)shape.scale, 0, 0,
                          precision == Precision::int8 ? Precision::float32 : precision, narrow, nullptr);
  linear(weights.projection, M, C, C, narrow, false, residual(shape, x, y), joined);
  norm(weights.normAfter, M, joined);
  linear(weights.up, M, C, I, narrow, false, nullptr, wide);
  linear(weights.down, M, I, C, wide, true, joined, y);
}

void encoderLayer(const EncoderLayerShape& shape, const EncoderLayerWeights& weights, Precision precision, const float* x,
                  float* between, float* y) {
  (precision == Precision::bfloat16 ? run<uint16_t> : run<float>)(shape, weights, precision, x, between, y);
}

}  // namespace vitral
