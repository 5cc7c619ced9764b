// The arrays of encoder layers, of which an empty one stands for none.
#pragma once

#include <string>
#include <type_traits>
#include <vector>

#include "../kernels/encoder-layer.h"
#include "arguments.h"

namespace vitral::exported {

// Sizes of a layer, without scale and eps.
EncoderLayerShape encoderLayerShape(Arguments& a);

class LayerArrays {
 public:
  // How many a layer has: parameters, and packed weights.
  static constexpr size_t parameters = 16, packed = 4;

  LayerArrays(Arguments& a, const char* name, size_t perLayer);

  size_t layers() const { return layers_; }

  // The next layer's parameters, whose biases may be absent unless they are a norm's; or its gradients, any of which
  // may.
  template <class Float>
  EncoderLayerTensors<Float> tensors(const EncoderLayerShape& shape) {
    const int64_t C = shape.hiddenSize, I = shape.intermediateSize;
    constexpr bool mayLackWeights = !std::is_const<Float>::value;
    const auto norm = [&]() -> typename EncoderLayerTensors<Float>::Pair {
      Float* weight = next(C, mayLackWeights);
      return {weight, next(C, mayLackWeights)};
    };
    const auto pair = [&](int64_t inputs, int64_t outputs) -> typename EncoderLayerTensors<Float>::Pair {
      Float* weight = next(elements({inputs, outputs}), mayLackWeights);
      return {weight, next(outputs, true)};
    };
    EncoderLayerTensors<Float> tensors;
    tensors.normBefore = norm();
    for (Float*& weight : tensors.qkv.weight) weight = next(elements({C, C}), mayLackWeights);
    for (Float*& bias : tensors.qkv.bias) bias = next(C, true);
    tensors.projection = pair(C, C);
    tensors.normAfter = norm();
    tensors.up = pair(C, I);
    tensors.down = pair(I, C);
    return tensors;
  }

  // The next layer's packed weights. Only that of query, key and value may be absent.
  PackedEncoderLayer packedLayer(const EncoderLayerShape& shape, Precision precision, bool mayLackQkv);

 private:
  float* next(int64_t count, bool mayBeEmpty);

  const std::string name_;
  std::vector<int64_t> counts_;
  const std::vector<float*> arrays_;
  size_t layers_ = 0, next_ = 0;
};

}  // namespace vitral::exported
