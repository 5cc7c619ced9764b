// The ops of the encoder and their gradients. B batch, N tokens, C hidden size, H heads, D head size; M rows, K inputs,
// N outputs of a linear layer.
#include <algorithm>
#include <string>
#include <type_traits>
#include <vector>

#include "../encoder-layer.h"
#include "../encoder.h"
#include "../kernels.h"
#include "../qkv.h"
#include "../threads.h"
#include "exports.h"

namespace vitral::exported {

napi_value layerNorm(Arguments& a) {
  const int64_t M = a.sizeOrZero("rows"), C = a.size("hiddenSize");
  const float* x = a.floats("x", elements({M, C}));
  const float* weight = a.floats("weight", C);
  const float* bias = a.floats("bias", C);
  const double eps = a.number("eps");
  const NumbersOut y = a.numbersOut("output", elements({M, C}));
  float* mean = a.floatsOrNull("mean", M);
  float* rstd = a.floatsOrNull("rstd", M);
  kernels().layerNormForward(M, C, x, weight, bias, eps, y, mean, rstd);
  return nullptr;
}

napi_value layerNormGrad(Arguments& a) {
  const int64_t M = a.sizeOrZero("rows"), C = a.size("hiddenSize");
  const float* dy = a.floats("dy", elements({M, C}));
  const float* x = a.floats("x", elements({M, C}));
  const float* weight = a.floats("weight", C);
  const float* mean = a.floats("mean", M);
  const float* rstd = a.floats("rstd", M);
  float* dx = a.floatsOrNull("dx", elements({M, C}));
  float* dWeight = a.floatsOrNull("dWeight", C);
  float* dBias = a.floatsOrNull("dBias", C);
  kernels().layerNormBackward(M, C, dy, x, weight, mean, rstd, nullptr, dx, dWeight, dBias);
  return nullptr;
}

// Floats of a packed weight; throws when there are too many, or when its products have more terms than int8 sums.
static int64_t packedFloats(int64_t K, int64_t N, Precision precision) {
  elements({K, N, 16});  // more than padding and the planes of bfloat16 make of it: its own sum does not overflow
  if (precision == Precision::int8 && K > mostInt8Steps)
    throw ArgumentError("a layer of more than " + std::to_string(mostInt8Steps) + " inputs cannot be multiplied in int8");
  return kernels().packedLinearFloats(K, N, precision);
}

napi_value packedLinearFloats(Arguments& a) {
  const int64_t K = a.size("inputs"), N = a.size("outputs");
  return toJs(a.env(), (double)packedFloats(K, N, a.precision("dtype")));
}

napi_value packLinear(Arguments& a) {
  const int64_t K = a.size("inputs"), N = a.size("outputs");
  const Precision precision = a.precision("dtype");
  const float* weight = a.floats("weight", elements({N, K}));
  kernels().packLinear(K, N, weight, a.floats("packed", packedFloats(K, N, precision)), precision);
  return nullptr;
}

napi_value linear(Arguments& a) {
  const int64_t M = a.sizeOrZero("rows"), K = a.size("inputs"), N = a.size("outputs");
  const Precision precision = a.precision("dtype");
  const bool ofGelu = a.flag("gelu");
  const Numbers x = a.numbers("x", elements({M, K}));
  const float* weight = a.floats("weight", elements({N, K}));
  const float* packed = a.floatsOrNull("packed", packedFloats(K, N, precision));
  const float* bias = a.floatsOrNull("bias", N);
  const float* residual = a.floatsOrNull("residual", elements({M, N}));
  const Drops drops = a.drops(M);
  const NumbersOut y = a.numbersOut("output", elements({M, N}));
  if (y.halves && (drops.any() || residual)) throw ArgumentError("an output of bfloat16 has neither drops nor a residual");
  kernels().linearForward(M, K, N, x, ofGelu, weight, packed, bias, drops, residual, precision, y, N);
  return nullptr;
}

napi_value linearGrad(Arguments& a) {
  const int64_t M = a.sizeOrZero("rows"), K = a.size("inputs"), N = a.size("outputs");
  const Precision precision = a.precision("dtype");
  const bool ofGelu = a.flag("gelu");
  const float* dy = a.floats("dy", elements({M, N}));
  const Numbers x = a.numbers("x", elements({M, K}));
  const float* weight = a.floats("weight", elements({N, K}));
  float* dx = a.floatsOrNull("dx", elements({M, K}));
  float* dWeight = a.floatsOrNull("dWeight", elements({N, K}));
  float* dBias = a.floatsOrNull("dBias", N);
  kernels().linearBackward(M, K, N, dy, N, x, ofGelu, weight, precision, dx, dWeight, dBias);
  return nullptr;
}

napi_value packQkv(Arguments& a) {
  const int64_t C = a.size("hiddenSize");
  const Precision precision = a.precision("dtype");
  const float* weights[3];
  for (const float*& weight : weights) weight = a.floats("weights", elements({C, C}));
  float* rows = scratch(Scratch::kernel, elements({3, C, C}));
  joinWeights(C, weights, rows);
  kernels().packLinear(C, 3 * C, rows, a.floats("packed", packedFloats(C, 3 * C, precision)),
                       precision);
  return nullptr;
}

napi_value qkv(Arguments& a) {
  const int64_t M = a.sizeOrZero("rows"), C = a.size("hiddenSize");
  const Precision precision = a.precision("dtype");
  const Numbers x = a.numbers("x", elements({M, C}));
  const float *weight[3], *bias[3];
  for (const float*& w : weight) w = a.floats("weights", elements({C, C}));
  const float* packed = a.floatsOrNull("packed", packedFloats(C, 3 * C, precision));
  for (const float*& b : bias) b = a.floatsOrNull("biases", C);
  const NumbersOut y = a.numbersOut("output", elements({M, 3, C}));
  if (packed) {
    float* joined = scratch(Scratch::kernel, 3 * C);
    joinBiases(C, bias, joined);
    kernels().linearForward(M, C, 3 * C, x, false, nullptr, packed, joined, {}, nullptr, precision, y, 3 * C);
  } else {
    qkvForward(M, C, x, weight, bias, precision, y);
  }
  return nullptr;
}

napi_value qkvGrad(Arguments& a) {
  const int64_t M = a.sizeOrZero("rows"), C = a.size("hiddenSize");
  const Precision precision = a.precision("dtype");
  const float* dy = a.floats("dy", elements({M, 3, C}));
  const Numbers x = a.numbers("x", elements({M, C}));
  const float* weight[3];
  for (const float*& w : weight) w = a.floats("weights", elements({C, C}));
  float* dx = a.floatsOrNull("dx", elements({M, C}));
  float *dWeight[3], *dBias[3];
  for (float*& w : dWeight) w = a.floatsOrNull("dWeights", elements({C, C}));
  for (float*& b : dBias) b = a.floatsOrNull("dBiases", C);
  qkvBackward(M, C, dy, x, weight, precision, dx, dWeight, dBias);
  return nullptr;
}

napi_value attention(Arguments& a) {
  const int64_t B = a.sizeOrZero("batch"), N = a.size("tokens"), H = a.size("numHeads"), D = a.size("headSize");
  const Precision precision = a.precision("dtype");
  const Numbers packed = a.numbers("qkv", elements({B, N, 3, H, D}));
  const double scale = a.number("scale"), dropoutProbability = a.number("dropoutProbability");
  const uint32_t seed = a.bits("seed");
  const NumbersOut out = a.numbersOut("output", elements({B, N, H, D}));
  float* logSumExp = a.floatsOrNull("logSumExp", elements({B, H, N}));
  kernels().attentionForward(B, N, H, D, packed, (float)scale, dropoutProbability, seed, precision, out, logSumExp);
  return nullptr;
}

napi_value attentionGrad(Arguments& a) {
  const int64_t B = a.sizeOrZero("batch"), N = a.size("tokens"), H = a.size("numHeads"), D = a.size("headSize");
  const Precision precision = a.precision("dtype");
  const float* dy = a.floats("dy", elements({B, N, H, D}));
  const Numbers packed = a.numbers("qkv", elements({B, N, 3, H, D}));
  const Numbers out = a.numbers("output", elements({B, N, H, D}));
  const float* logSumExp = a.floats("logSumExp", elements({B, H, N}));
  const double scale = a.number("scale"), dropoutProbability = a.number("dropoutProbability");
  const uint32_t seed = a.bits("seed");
  float* dQkv = a.floats("dQkv", elements({B, N, 3, H, D}));
  kernels().attentionBackward(B, N, H, D, packed, out, dy, logSumExp, (float)scale, dropoutProbability, seed, precision,
                              dQkv);
  return nullptr;
}

// Floats of what the forward pass leaves for the backward pass; throws when there are too many.
static int64_t betweenFloats(const ClassAttentionShape& shape) {
  // More than is needed: its sum does not overflow.
  elements({shape.B, 1 + shape.H, 3, shape.hiddenSize() + shape.N});
  return shape.betweenFloats();
}

static ClassAttentionShape classAttentionShape(Arguments& a) {
  ClassAttentionShape shape;
  shape.B = a.sizeOrZero("batch"), shape.N = a.size("tokens"), shape.H = a.size("numHeads"), shape.D = a.size("headSize");
  elements({shape.H, shape.D});
  return shape;
}

// The weights of query, key and value; the gradient has no use for biases.
static ClassAttentionWeights classAttentionWeights(Arguments& a, int64_t C) {
  ClassAttentionWeights weights{};
  for (const float** weight : {&weights.query, &weights.key, &weights.value}) *weight = a.floats("weights", elements({C, C}));
  return weights;
}

napi_value classAttentionFloats(Arguments& a) { return toJs(a.env(), (double)betweenFloats(classAttentionShape(a))); }

napi_value classAttention(Arguments& a) {
  const ClassAttentionShape shape = classAttentionShape(a);
  const int64_t C = shape.hiddenSize();
  const float* x = a.floats("x", elements({shape.B, shape.N, C}));
  ClassAttentionWeights weights = classAttentionWeights(a, C);
  for (const float** bias : {&weights.queryBias, &weights.valueBias}) *bias = a.floatsOrNull("biases", C);
  const double scale = a.number("scale");
  float* out = a.floats("output", elements({shape.B, C}));
  kernels().classAttentionForward(shape, x, weights, (float)scale, a.floats("between", betweenFloats(shape)), out);
  return nullptr;
}

napi_value classAttentionGrad(Arguments& a) {
  const ClassAttentionShape shape = classAttentionShape(a);
  const int64_t C = shape.hiddenSize();
  const float* dy = a.floats("dy", elements({shape.B, C}));
  const float* x = a.floats("x", elements({shape.B, shape.N, C}));
  const ClassAttentionWeights weights = classAttentionWeights(a, C);
  const float* between = a.floats("between", betweenFloats(shape));
  const double scale = a.number("scale");
  ClassAttentionGradients gradients;
  gradients.x = a.floatsOrNull("dx", elements({shape.B, shape.N, C}));
  for (float** weight : {&gradients.query, &gradients.key, &gradients.value})
    *weight = a.floatsOrNull("dWeights", elements({C, C}));
  for (float** bias : {&gradients.queryBias, &gradients.valueBias}) *bias = a.floatsOrNull("dBiases", C);
  kernels().classAttentionBackward(shape, x, weights, (float)scale, between, dy, gradients);
  return nullptr;
}

// What both kinds of shape begin with.
template <class Shape>
static Shape layerSizes(Arguments& a) {
  Shape shape{};
  shape.batch = a.sizeOrZero("batch"), shape.tokens = a.size("tokens"), shape.hiddenSize = a.size("hiddenSize");
  shape.numHeads = a.size("numHeads"), shape.intermediateSize = a.size("intermediateSize");
  if (shape.hiddenSize % shape.numHeads) throw ArgumentError("numHeads does not divide hiddenSize");
  return shape;
}

static int64_t betweenFloats(const EncoderShape& shape) {
  // More than is needed: its sum does not overflow.
  elements({shape.batch, shape.tokens, 6 + 2 * shape.numHeads, shape.hiddenSize + shape.intermediateSize});
  return vitral::encoderFloats(shape);
}

napi_value encoderFloats(Arguments& a) { return toJs(a.env(), (double)betweenFloats(layerSizes<EncoderShape>(a))); }

// The arrays of encoder layers, taken in the order in which the Addon's type lists them. An empty one stands for none.
class LayerArrays {
  const std::string name_;
  std::vector<int64_t> counts_;
  const std::vector<float*> arrays_;
  size_t next_ = 0;

 public:
  LayerArrays(Arguments& a, const char* name, size_t ofLayer) : name_(name), arrays_(a.floatArrays(name, counts_)) {
    if (arrays_.empty() || arrays_.size() % ofLayer)
      throw ArgumentError(name_ + " has " + std::to_string(arrays_.size()) + " entries; expected " + std::to_string(ofLayer) +
                          " for each layer");
    layers = arrays_.size() / ofLayer;
  }

  size_t layers;

  float* nextOrNull(int64_t count) {
    const size_t i = next_++;
    if (counts_[i] == 0) return nullptr;
    if (counts_[i] != count)
      throw ArgumentError(name_ + "[" + std::to_string(i) + "] has " + std::to_string(counts_[i]) + " elements; expected " +
                          std::to_string(count));
    return arrays_[i];
  }
  float* next(int64_t count) {
    if (float* array = nextOrNull(count)) return array;
    throw ArgumentError(name_ + "[" + std::to_string(next_ - 1) + "] is empty; expected " + std::to_string(count) + " elements");
  }
  NormWeights norm(int64_t C) {
    const float* weight = next(C);
    return {weight, next(C)};
  }
  PackedLinear linear(int64_t packed, int64_t outputs) {
    const float* weight = next(packed);
    return {weight, nextOrNull(outputs)};
  }
};

napi_value encoder(Arguments& a) {
  EncoderShape shape = layerSizes<EncoderShape>(a);
  shape.scale = a.number("scale"), shape.eps = a.number("eps");
  shape.classTokenOnly = a.flag("classTokenOnly");
  const int64_t C = shape.hiddenSize, I = shape.intermediateSize;
  const Precision precision = a.precision("dtype");
  const float* x = a.floats("x", elements({shape.batch, shape.tokens, C}));
  const int64_t qkv = packedFloats(C, 3 * C, precision), projection = packedFloats(C, C, precision);
  const int64_t up = packedFloats(C, I, precision), down = packedFloats(I, C, precision), square = elements({C, C});
  LayerArrays arrays(a, "weights", 17);
  std::vector<EncoderLayerWeights> layers(arrays.layers);
  float* joined = scratch(Scratch::kernel, elements({(int64_t)layers.size(), 3, C}));
  for (EncoderLayerWeights& layer : layers) {
    const bool ofClassToken = shape.classTokenOnly && &layer == &layers.back();
    ClassAttentionWeights& classAttention = layer.classAttention;
    layer.normBefore = arrays.norm(C);
    layer.qkv.weight = ofClassToken ? arrays.nextOrNull(qkv) : arrays.next(qkv);
    for (const float** weight : {&classAttention.query, &classAttention.key, &classAttention.value})
      *weight = ofClassToken ? arrays.next(square) : arrays.nextOrNull(square);
    const float* bias[3];
    for (const float*& b : bias) b = arrays.nextOrNull(C);
    classAttention.queryBias = bias[0], classAttention.valueBias = bias[2];
    joinBiases(C, bias, joined);
    layer.qkv.bias = joined;
    joined += 3 * C;
    layer.projection = arrays.linear(projection, C);
    layer.normAfter = arrays.norm(C);
    layer.up = arrays.linear(up, I);
    layer.down = arrays.linear(down, C);
  }
  float* between = a.floats("between", betweenFloats(shape));
  float* y = a.floats("output", elements({shape.batch, shape.outputTokens(), C}));
  vitral::encoder(shape, layers.data(), (int64_t)layers.size(), precision, x, between, y);
  return nullptr;
}

static EncoderLayerShape encoderLayerShape(Arguments& a) {
  const auto shape = layerSizes<EncoderLayerShape>(a);
  // More than any sum of what follows, which so cannot overflow; a piece takes 15 floats more at most.
  elements({shape.batch, shape.tokens, 16, shape.hiddenSize + shape.numHeads, 16 + shape.intermediateSize});
  return shape;
}

// The shape with what the passes do besides: scale and eps, and what is dropped.
static EncoderLayerShape encoderLayerOptions(Arguments& a) {
  EncoderLayerShape shape = encoderLayerShape(a);
  shape.scale = a.number("scale"), shape.eps = a.number("eps");
  shape.attentionDropout = a.number("attentionDropout"), shape.attentionSeed = a.bits("attentionSeed");
  shape.afterAttention = a.drops(shape.rows()), shape.afterNetwork = a.drops(shape.rows());
  return shape;
}

// Parameters, of which biases may be absent, or gradients, of which any may.
template <class Float>
static EncoderLayerTensors<Float> encoderLayerTensors(Arguments& a, const char* name, const EncoderLayerShape& shape) {
  const int64_t C = shape.hiddenSize, I = shape.intermediateSize;
  LayerArrays arrays(a, name, 16);
  const auto weight = [&](int64_t count) -> Float* {
    return std::is_const<Float>::value ? arrays.next(count) : arrays.nextOrNull(count);
  };
  const auto pair = [&](int64_t inputs, int64_t outputs) -> typename EncoderLayerTensors<Float>::Pair {
    Float* first = weight(elements({inputs, outputs}));
    return {first, arrays.nextOrNull(outputs)};
  };
  EncoderLayerTensors<Float> tensors;
  tensors.normBefore = pair(1, C);
  for (Float*& w : tensors.qkvWeights) w = weight(elements({C, C}));
  for (Float*& bias : tensors.qkvBiases) bias = arrays.nextOrNull(C);
  tensors.projection = pair(C, C);
  tensors.normAfter = pair(1, C);
  tensors.up = pair(C, I);
  tensors.down = pair(I, C);
  if (std::is_const<Float>::value && !(tensors.normBefore.bias && tensors.normAfter.bias))
    throw ArgumentError(std::string(name) + ": a norm has no bias");
  return tensors;
}

napi_value encoderLayerFloats(Arguments& a) {
  const EncoderLayerShape shape = encoderLayerShape(a);
  const Precision precision = a.precision("dtype");
  napi_value sizes;
  check(napi_create_array_with_length(a.env(), 3, &sizes));
  const int64_t floats[] = {encoderLayerKeptFloats(shape, precision), encoderLayerForwardFloats(shape),
                            encoderLayerBackwardFloats(shape)};
  for (uint32_t i = 0; i < 3; i++) check(napi_set_element(a.env(), sizes, i, toJs(a.env(), (double)floats[i])));
  return sizes;
}

napi_value encoderLayer(Arguments& a) {
  const EncoderLayerShape shape = encoderLayerOptions(a);
  const Precision precision = a.precision("dtype");
  const int64_t size = elements({shape.batch, shape.tokens, shape.hiddenSize});
  const float* x = a.floats("x", size);
  const EncoderLayerParameters parameters = encoderLayerTensors<const float>(a, "weights", shape);
  float* kept = a.floats("kept", encoderLayerKeptFloats(shape, precision));
  float* between = a.floats("between", encoderLayerForwardFloats(shape));
  encoderLayerForward(shape, parameters, precision, x, kept, between, a.floats("output", size));
  return nullptr;
}

napi_value encoderLayerGrad(Arguments& a) {
  const EncoderLayerShape shape = encoderLayerOptions(a);
  const Precision precision = a.precision("dtype");
  const int64_t size = elements({shape.batch, shape.tokens, shape.hiddenSize});
  const float *dy = a.floats("dy", size), *x = a.floats("x", size);
  const EncoderLayerParameters parameters = encoderLayerTensors<const float>(a, "weights", shape);
  const float* kept = a.floats("kept", encoderLayerKeptFloats(shape, precision));
  float* between = a.floats("between", encoderLayerBackwardFloats(shape));
  float* dx = a.floatsOrNull("dx", size);
  const EncoderLayerGradients gradients = encoderLayerTensors<float>(a, "gradients", shape);
  encoderLayerBackward(shape, parameters, precision, dy, x, kept, between, dx, gradients);
  return nullptr;
}

}  // namespace vitral::exported
