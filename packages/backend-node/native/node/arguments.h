// The arguments of one call from JavaScript, taken in order and checked: a wrong one becomes a JavaScript error that
// names it, and no kernel ever sees memory that is shorter than its dimensions say.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <vector>

#include "../gemm/gemm.h"

namespace vitral {

struct ArgumentError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The system has no more memory, with what was asked of it.
struct OutOfMemory : std::runtime_error {
  explicit OutOfMemory(int64_t bytes);
};

// The product of dimensions; throws when it is beyond 2^62.
int64_t elements(std::initializer_list<int64_t> dimensions);

class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info);

  int64_t size(const char* name);  // a whole number from 1 to 2^40
  int64_t sizeOrZero(const char* name);  // for what may be empty: a batch, rows, all elements of a tensor
  double number(const char* name);
  bool flag(const char* name);
  Precision precision(const char* name);  // 'float32', 'bfloat16' or 'int8'
  uint32_t bits(const char* name);  // a number modulo 2^32
  Drops drops(int64_t rows);  // dropout's probability and seed, drop path's, and the samples that the rows belong to

  float* floats(const char* name, int64_t count);        // a Float32Array of exactly `count` elements
  float* floatsOrNull(const char* name, int64_t count);  // the same, or null
  int32_t* intsOrNull(const char* name, int64_t count);  // an Int32Array of exactly `count` elements, or null

  // Either: a Float32Array, or a Uint16Array of bfloat16.
  Numbers numbers(const char* name, int64_t count);
  NumbersOut numbersOut(const char* name, int64_t count);

  uint8_t* bytes(const char* name, int64_t count);  // a Uint8Array or Uint8ClampedArray of exactly `count` bytes

  void* buffer(const char* name, int64_t* bytes);  // an ArrayBuffer
  std::string text(const char* name);
  void* external(const char* name);  // what napi_create_external made
  napi_value latest() const { return values_[next_ - 1]; }  // the argument that was taken last, itself

  std::vector<float*> floatArrays(const char* name, std::vector<int64_t>& counts);  // of any lengths: `counts` tells them
  std::vector<float*> floatArraysOf(const char* name, const std::vector<int64_t>& counts);  // one of each length

  napi_env env() const { return env_; }

 private:
  napi_value next(const char* name);
  [[noreturn]] void wrongLength(const char* name, int64_t length, int64_t expected) const;
  void* typedArray(napi_value value, const char* name, napi_typedarray_type type, const char* typeName,
                   int64_t* count) const;
  bool isArrayOf(napi_value value, napi_typedarray_type type) const;
  napi_value arrayOf(const char* name, uint32_t* length);
  float* floatsAt(napi_value array, uint32_t i, const char* name, int64_t* count) const;
  bool isNull(napi_value value) const;
  [[noreturn]] void fail(const char* name, const std::string& what) const;

  static constexpr size_t capacity = 32;
  napi_env env_;
  napi_value values_[capacity];
  size_t count_ = capacity, next_ = 0;
};

// Throws when a Node-API call failed.
void check(napi_status status);

napi_value toJs(napi_env env, double value);

}  // namespace vitral
