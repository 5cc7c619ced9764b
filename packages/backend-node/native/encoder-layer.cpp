#include "encoder-layer.h"

#include <algorithm>

#include "pieces.h"
#include "qkv.h"

namespace vitral {
namespace {

struct NormSums {
  float *mean, *rstd;
};

// Number: of what products alone read, float or the words of bfloat16.
template <class Number>
struct Kept {
  NormSums before, after;
  float *logSumExp, *joined;
  Number *qkv, *attended, *hidden;
  Kept(const EncoderLayerShape& shape, Pieces& pieces) {
    const int64_t M = shape.rows(), C = shape.hiddenSize;
    for (float** sums : {&before.mean, &before.rstd, &after.mean, &after.rstd}) *sums = pieces.take<float>(M);
    logSumExp = pieces.take<float>(M * shape.numHeads);
    joined = pieces.take<float>(M * C);
    qkv = pieces.take<Number>(M * 3 * C);
    attended = pieces.take<Number>(M * C);
    hidden = pieces.take<Number>(M * shape.intermediateSize);
  }
};

struct Gone {
  float *narrow, *joined, *wide, *normed;  // rows of C; of C; of 3·C or the network's width; a norm as float or bfloat16
  Gone(const EncoderLayerShape& shape, Pieces& pieces) {
    const int64_t M = shape.rows(), C = shape.hiddenSize;
    normed = pieces.take<float>(M * C);
    narrow = pieces.take<float>(M * C);
    joined = pieces.take<float>(M * C);
    wide = pieces.take<float>(M * std::max(3 * C, shape.intermediateSize));
  }
};

using Weights = EncoderLayerParameters::Pair;
using Gradients = EncoderLayerGradients::Pair;

template <class Number>
void forward(const EncoderLayerShape& shape, const EncoderLayerParameters& parameters, Precision precision, const float* x,
             float* keptAt, float* between, float* y) {
  const int64_t M = shape.rows(), C = shape.hiddenSize, I = shape.intermediateSize;
  const Kernels& kernel = kernels();
  Pieces pieces(keptAt);
  const Kept<Number> kept(shape, pieces);
  Number* normed = (Number*)between;
  const auto norm = [&](const Weights& of, const float* from, const NormSums& sums) {
    kernel.layerNormForward(M, C, from, of.weight, of.bias, shape.eps, normed, sums.mean, sums.rstd);
  };
  const auto linear = [&](const Weights& layer, int64_t inputs, int64_t outputs, const Number* from, bool ofGelu,
                          const Drops& drops, const float* residual, NumbersOut to) {
    kernel.linearForward(M, inputs, outputs, from, ofGelu, layer.weight, nullptr, layer.bias, drops, residual, precision, to,
                         outputs);
  };
  norm(parameters.normBefore, x, kept.before);
  qkvForward(M, C, normed, parameters.qkvWeights, parameters.qkvBiases, precision, kept.qkv);
  kernel.attentionForward(shape.batch, shape.tokens, shape.numHeads, shape.headSize(), kept.qkv, (float)shape.scale,
                          shape.attentionDropout, shape.attentionSeed, precision, kept.attended, kept.logSumExp);
  linear(parameters.projection, C, C, kept.attended, false, shape.afterAttention, x, kept.joined);
  norm(parameters.normAfter, kept.joined, kept.after);
  linear(parameters.up, C, I, normed, false, {}, nullptr, kept.hidden);
  linear(parameters.down, I, C, kept.hidden, true, shape.afterNetwork, kept.joined, y);
}

template <class Number>
class Backward {
  const EncoderLayerShape& shape;
  const EncoderLayerParameters& parameters;
  const Precision precision;
  const float* x;
  const EncoderLayerGradients& gradients;
  const int64_t M = shape.rows(), C = shape.hiddenSize, I = shape.intermediateSize;
  const Kernels& kernel = kernels();
  Pieces keptPieces, gonePieces;
  const Kept<Number> kept;
  const Gone gone;

  const Number* normAgain(const Weights& of, const float* from) const {
    kernel.layerNormForward(M, C, from, of.weight, of.bias, shape.eps, (Number*)gone.normed, nullptr, nullptr);
    return (Number*)gone.normed;
  }

  // dx = the norm's gradient + that of the branch around it.
  void normGradient(const Weights& of, const float* dy, const float* from, const NormSums& sums, const float* around,
                    float* dx, const Gradients& to) const {
    kernel.layerNormBackward(M, C, dy, from, of.weight, sums.mean, sums.rstd, around, dx, to.weight, to.bias);
  }

  void linearGradient(const Weights& of, int64_t inputs, int64_t outputs, const float* dy, const Number* from, bool ofGelu,
                      float* dx, const Gradients& to) const {
    kernel.linearBackward(M, inputs, outputs, dy, outputs, from, ofGelu, of.weight, precision, dx, to.weight, to.bias);
  }

  // What a branch got of dy: all of it, or what was not dropped.
  const float* branch(const float* dy, const Drops& drops, float* memory) const {
    if (!drops.any()) return dy;
    kernel.dropRows(M, C, dy, drops, memory);
    return memory;
  }

  static bool wants(const Gradients& of) { return of.weight || of.bias; }
  bool wantsQkv() const { return wantsAny(gradients.qkvWeights) || wantsAny(gradients.qkvBiases); }

 public:
  Backward(const EncoderLayerShape& shape, const EncoderLayerParameters& parameters, Precision precision, const float* x,
           const float* keptAt, float* between, const EncoderLayerGradients& gradients)
      : shape(shape),
        parameters(parameters),
        precision(precision),
        x(x),
        gradients(gradients),
        keptPieces((float*)keptAt),
        gonePieces(between),
        kept(shape, keptPieces),
        gone(shape, gonePieces) {}

  void run(const float* dy, float* dx) const {
    const bool before = dx || wants(gradients.normBefore), attention = before || wantsQkv();
    const bool joined = attention || wants(gradients.projection), after = joined || wants(gradients.normAfter);
    const bool network = after || wants(gradients.up);
    linearGradient(parameters.down, I, C, branch(dy, shape.afterNetwork, gone.narrow), kept.hidden, true,
                   network ? gone.wide : nullptr, gradients.down);
    if (!network) return;
    const Number* normed = gradients.up.weight ? normAgain(parameters.normAfter, kept.joined) : (Number*)gone.normed;
    linearGradient(parameters.up, C, I, gone.wide, normed, false, after ? gone.narrow : nullptr, gradients.up);
    if (!after) return;
    normGradient(parameters.normAfter, gone.narrow, kept.joined, kept.after, dy, joined ? gone.joined : nullptr,
                 gradients.normAfter);
    if (!joined) return;
    linearGradient(parameters.projection, C, C, branch(gone.joined, shape.afterAttention, gone.wide), kept.attended, false,
                   attention ? gone.narrow : nullptr, gradients.projection);
    if (!attention) return;
    kernel.attentionBackward(shape.batch, shape.tokens, shape.numHeads, shape.headSize(), kept.qkv, kept.attended, gone.narrow,
                             kept.logSumExp, (float)shape.scale, shape.attentionDropout, shape.attentionSeed, precision,
                             gone.wide);
    if (wantsQkv()) normed = normAgain(parameters.normBefore, x);
    qkvBackward(M, C, gone.wide, normed, parameters.qkvWeights, precision, before ? gone.narrow : nullptr,
                gradients.qkvWeights, gradients.qkvBiases);
    if (before) normGradient(parameters.normBefore, gone.narrow, x, kept.before, gone.joined, dx, gradients.normBefore);
  }
};

}  // namespace

int64_t encoderLayerKeptFloats(const EncoderLayerShape& shape, Precision precision) {
  return precision == Precision::bfloat16 ? floatsOf<Kept<uint16_t>>(shape) : floatsOf<Kept<float>>(shape);
}
int64_t encoderLayerForwardFloats(const EncoderLayerShape& shape) { return shape.rows() * shape.hiddenSize; }
int64_t encoderLayerBackwardFloats(const EncoderLayerShape& shape) { return floatsOf<Gone>(shape); }

void encoderLayerForward(const EncoderLayerShape& shape, const EncoderLayerParameters& parameters, Precision precision,
                         const float* x, float* kept, float* between, float* y) {
  (precision == Precision::bfloat16 ? forward<uint16_t> : forward<float>)(shape, parameters, precision, x, kept, between, y);
}

void encoderLayerBackward(const EncoderLayerShape& shape, const EncoderLayerParameters& parameters, Precision precision,
                          const float* dy, const float* x, const float* kept, float* between, float* dx,
                          const EncoderLayerGradients& gradients) {
  if (precision == Precision::bfloat16)
    Backward<uint16_t>(shape, parameters, precision, x, kept, between, gradients).run(dy, dx);
  else Backward<float>(shape, parameters, precision, x, kept, between, gradients).run(dy, dx);
}

}  // namespace vitral
