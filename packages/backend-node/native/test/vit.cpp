// A ViT's forward pass as a bare loop over the kernels: what is left when tensors, tapes and JavaScript are taken away.
// A contestant of benchmarks/ (src/protocol.ts there), so that the engine's own time per op can be measured.
//
//   vit '{"modelFolder": …, "inputs": …, "threads": 2}'      then lines of `check` and `run`
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "../kernels/dispatch.h"
#include "../kernels/encoder.h"
#include "../runtime/memory.h"
#include "../runtime/threads.h"

using namespace vitral;

static std::string contentOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) std::fprintf(stderr, "%s cannot be read.\n", path.c_str()), std::exit(1);
  return {std::istreambuf_iterator<char>(file), {}};
}

// What follows a key of the harness' own JSON, which is flat where it is read.
static std::string valueOf(const std::string& json, const std::string& key) {
  const size_t at = json.find('"' + key + "\":");
  if (at == std::string::npos) std::fprintf(stderr, "%s is missing.\n", key.c_str()), std::exit(1);
  const size_t from = json.find_first_not_of(" \"", at + key.size() + 3);
  return json.substr(from, json.find_first_of("\",}\n", from) - from);
}

static int64_t numberOf(const std::string& json, const std::string& key) { return std::stoll(valueOf(json, key)); }

// On large pages, as tensors are.
struct Floats {
  explicit Floats(int64_t count) : values((float*)allocateAligned(count * sizeof(float))) {}
  float* values;
};

class Tensors {
 public:
  explicit Tensors(const std::string& path) : content(contentOf(path)) {}
  const float* operator()(const std::string& name) const {
    int64_t headerBytes;
    std::copy_n(content.data(), 8, (char*)&headerBytes);
    const std::string header = content.substr(8, headerBytes);
    const size_t entry = header.find('"' + name + "\":");
    if (entry == std::string::npos) std::fprintf(stderr, "There is no tensor %s.\n", name.c_str()), std::exit(1);
    const size_t offsets = header.find("\"data_offsets\":[", entry) + 16;
    const int64_t from = std::stoll(header.substr(offsets));
    const int64_t to = std::stoll(header.substr(header.find(',', offsets) + 1));
    Floats copy((to - from) / 4);
    std::copy_n(content.data() + 8 + headerBytes + from, to - from, (char*)copy.values);
    return copy.values;
  }

 private:
  std::string content;
};

int main(int, char** arguments) {
  const std::string options = arguments[1], folder = valueOf(options, "modelFolder");
  const std::string config = contentOf(folder + "/config.json");
  const Tensors weights(folder + "/model.safetensors"), inputs(valueOf(options, "inputs"));
  setThreadCount((int)numberOf(options, "threads"));
  const Kernels& kernel = kernels();
  const Precision precision = Precision::float32;

  const int64_t C = numberOf(config, "hidden_size"), I = numberOf(config, "intermediate_size");
  const int64_t H = numberOf(config, "num_attention_heads"), depth = numberOf(config, "num_hidden_layers");
  const int64_t size = numberOf(config, "image_size"), P = numberOf(config, "patch_size");
  const double eps = std::stod(valueOf(config, "layer_norm_eps"));
  const PatchShape shape = {1, numberOf(config, "num_channels"), size, size, P, P, C};
  const int64_t N = shape.tokens(), M = 1 + N;

  struct Linear {
    const float *weight, *packed, *bias;
  };
  const auto linear = [&](const std::string& name, int64_t inputs, int64_t outputs) -> Linear {
    const float* weight = weights(name + ".weight");
    Floats packed(kernel.packedLinearFloats(inputs, outputs, precision));
    kernel.packLinear(inputs, outputs, weight, packed.values, precision);
    return {weight, packed.values, weights(name + ".bias")};
  };
  using Pair = EncoderLayerParameters::Pair;
  const auto norm = [&](const std::string& name) -> Pair {
    return {weights(name + ".weight"), weights(name + ".bias")};
  };
  std::vector<EncoderLayerWeights> layers(depth);
  for (int64_t i = 0; i < depth; i++) {
    const std::string name = "vit.encoder.layer." + std::to_string(i);
    auto& [parameters, packed] = layers[i];
    const std::string parts[] = {"query", "key", "value"};
    for (int part = 0; part < 3; part++) {
      const std::string source = name + ".attention.attention." + parts[part];
      parameters.qkv.weight[part] = weights(source + ".weight"), parameters.qkv.bias[part] = weights(source + ".bias");
    }
    Floats packedQkvWeights(kernel.packedLinearFloats(C, 3 * C, precision));
    packQkv(C, parameters.qkv.weight, packedQkvWeights.values, precision);
    const Linear projection = linear(name + ".attention.output.dense", C, C);
    const Linear up = linear(name + ".intermediate.dense", C, I), down = linear(name + ".output.dense", I, C);
    parameters.normBefore = norm(name + ".layernorm_before"), parameters.normAfter = norm(name + ".layernorm_after");
    parameters.projection = {projection.weight, projection.bias};
    parameters.up = {up.weight, up.bias}, parameters.down = {down.weight, down.bias};
    packed = {packedQkvWeights.values, projection.packed, up.packed, down.packed};
  }
  const int64_t classes = (int64_t)std::count(config.begin() + config.find("\"id2label\""),
                                              config.begin() + config.find('}', config.find("\"id2label\"")), ':') -
                          1;
  const Linear classifier = linear("classifier", C, classes);
  const std::string embeddings = "vit.embeddings.";
  const float *pixels = inputs("pixel_values"), *classToken = weights(embeddings + "cls_token");
  const float* positions = weights(embeddings + "position_embeddings");
  const float* patchWeight = weights(embeddings + "patch_embeddings.projection.weight");
  const float* patchBias = weights(embeddings + "patch_embeddings.projection.bias");
  const Pair lastNorm = norm("vit.layernorm");
  const EncoderShape encoderShape = {{1, M, C, H, I, 1 / std::sqrt((double)(C / H)), eps}, true};
  float *patches = Floats(N * C).values, *x = Floats(M * C).values;
  float *workspace = Floats(encoderFloats(encoderShape)).values, *token = Floats(C).values;
  float *feature = Floats(C).values, *logits = Floats(classes).values;

  const auto forward = [&] {
    kernel.patchEmbedForward(shape, pixels, patchWeight, patchBias, precision, patches);
    kernel.embedTokensForward(1, N, C, patches, classToken, positions, x);
    encoder(encoderShape, layers.data(), depth, precision, x, workspace, token);
    kernel.layerNormForward(
        {.M = 1, .C = C, .x = token, .weight = lastNorm.weight, .bias = lastNorm.bias, .eps = eps, .y = feature});
    kernel.linearForward({.M = 1,
                          .K = C,
                          .N = classes,
                          .x = feature,
                          .packed = classifier.packed,
                          .bias = classifier.bias,
                          .precision = precision,
                          .y = logits});
  };

  std::printf("{\"ready\": \"the kernels alone, in a C++ loop (%s)\"}\n", kernel.isa);
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
    const auto start = std::chrono::steady_clock::now();
    forward();
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    if (line == "check") {
      std::printf("{\"logits\": [");
      for (int64_t k = 0; k < classes; k++) std::printf("%s%.9g", k ? ", " : "", logits[k]);
      std::printf("]}\n");
    } else {
      std::printf("{\"milliseconds\": %.6f}\n", took.count());
    }
    std::fflush(stdout);
  }
}
