#include "encoder.h"

#include <algorithm>

#include "pieces.h"

namespace vitral {

static ClassAttentionShape classAttentionShape(const EncoderShape& shape) {
  return {shape.batch, shape.tokens, shape.numHeads, shape.hiddenSize / shape.numHeads};
}

namespace {

// What a layer's ops leave for the next one; Number is float, or the words of bfloat16, of what products alone read.
template <class Number>
struct Between {
  float *hidden, *joined;  // a layer's result; attention's, with the residual
  // Rows of C; of more: the widest share one place, as attention has used up q, k and v when the network begins. What the
  // class token's attention reads and leaves there is float32 in any case.
  Number *narrow, *wide;
  Between(const EncoderShape& shape, Pieces& pieces) {
    const int64_t rows = shape.batch * shape.tokens, C = shape.hiddenSize;
    hidden = pieces.take<float>(rows * C);
    joined = pieces.take<float>(rows * C);
    narrow = (Number*)pieces.take<float>(rows * C);
    wide = (Number*)pieces.take<float>(
        std::max({rows * 3 * C, rows * shape.intermediateSize, classAttentionShape(shape).betweenFloats()}));
  }
};

template <class Number>
class Layer {
  const EncoderShape& shape;
  const EncoderLayerWeights& weights;
  const Precision precision;
  const Between<Number>& between;
  const int64_t C = shape.hiddenSize;

  void norm(const NormWeights& norm, int64_t rows, const float* from, NumbersOut to) const {
    kernels().layerNormForward(rows, C, from, norm.weight, norm.bias, shape.eps, to, nullptr, nullptr);
  }

  void linear(const PackedLinear& layer, int64_t rows, int64_t inputs, int64_t outputs, Numbers from, bool ofGelu,
              const float* residual, NumbersOut to) const {
    kernels().linearForward(rows, inputs, outputs, from, ofGelu, nullptr, layer.weight, layer.bias, {}, residual, precision,
                            to, outputs);
  }

  // What follows attention, of so many rows.
  void finish(int64_t rows, Numbers attended, const float* residual, float* y) const {
    const int64_t I = shape.intermediateSize;
    linear(weights.projection, rows, C, C, attended, false, residual, between.joined);
    norm(weights.normAfter, rows, between.joined, between.narrow);
    linear(weights.up, rows, C, I, between.narrow, false, nullptr, between.wide);
    linear(weights.down, rows, I, C, between.wide, true, between.joined, y);
  }

 public:
  Layer(const EncoderShape& shape, const EncoderLayerWeights& weights, Precision precision, const Between<Number>& between)
      : shape(shape), weights(weights), precision(precision), between(between) {}

  // y may be x.
  void ofAllTokens(const float* x, float* y) const {
    const int64_t rows = shape.batch * shape.tokens, H = shape.numHeads;
    norm(weights.normBefore, rows, x, between.narrow);
    linear(weights.qkv, rows, C, 3 * C, between.narrow, false, nullptr, between.wide);
    kernels().attentionForward(shape.batch, shape.tokens, H, C / H, between.wide, (float)shape.scale, 0, 0,
                               precision == Precision::int8 ? Precision::float32 : precision, between.narrow, nullptr);
    finish(rows, between.narrow, x, y);
  }

  void ofClassToken(const float* x, float* y) const {
    float *normed = (float*)between.narrow, *wide = (float*)between.wide;  // attention of the class token is in float32
    norm(weights.normBefore, shape.batch * shape.tokens, x, normed);
    kernels().classAttentionForward(classAttentionShape(shape), normed, weights.classAttention, (float)shape.scale, wide,
                                    normed);
    kernels().selectTokenForward(shape.batch, shape.tokens, C, 0, x, y);
    finish(shape.batch, normed, y, y);
  }
};

template <class Number>
void run(const EncoderShape& shape, const EncoderLayerWeights* layers, int64_t count, Precision precision, const float* x,
         float* at, float* y) {
  Pieces pieces(at);
  const Between<Number> between(shape, pieces);
  for (int64_t i = 0; i < count; i++) {
    const Layer<Number> layer(shape, layers[i], precision, between);
    const bool isLast = i + 1 == count;
    float* to = isLast ? y : between.hidden;
    isLast && shape.classTokenOnly ? layer.ofClassToken(x, to) : layer.ofAllTokens(x, to);
    x = to;
  }
}

}  // namespace

int64_t encoderFloats(const EncoderShape& shape) { return floatsOf<Between<float>>(shape); }

void encoder(const EncoderShape& shape, const EncoderLayerWeights* layers, int64_t count, Precision precision, const float* x,
             float* between, float* y) {
  (precision == Precision::bfloat16 ? run<uint16_t> : run<float>)(shape, layers, count, precision, x, between, y);
}

}  // namespace vitral
