// The arguments of one call from JavaScript, checked: a wrong one becomes a JavaScript error that names it, and no
// kernel ever sees memory that is shorter than its dimensions say. Ops take one object, whose properties have the names
// given here; functions of a few arguments take them in order.
#pragma once

#if !defined(__wasm__)
#include <node_api.h>

#include <stdexcept>
#endif

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "../gemm/gemm.h"

namespace vitral {

#if defined(__wasm__)
using JsValue = void*;  // nothing: the host takes an answer when it is given
#else
using JsValue = napi_value;

struct ArgumentError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The system has no more memory, with what was asked of it.
struct OutOfMemory : std::runtime_error {
  explicit OutOfMemory(int64_t bytes);
};
#endif

[[noreturn]] void throwArgumentError(const std::string& message);

// A whole number's digits.
std::string decimal(int64_t number);

// The product of dimensions; throws when it is beyond 2^62.
int64_t elements(std::initializer_list<int64_t> dimensions);

class Arguments {
 public:
#if defined(__wasm__)
  explicit Arguments(int32_t object) : object_(object) {}
#else
  Arguments(napi_env env, napi_callback_info info);
#endif
  Arguments object(const char* name);  // an object's properties

  int64_t size(const char* name);        // a whole number from 1 to 2^40
  int64_t sizeOrZero(const char* name);  // for what may be empty: a batch, rows, all elements of a tensor
  double number(const char* name);
  bool flag(const char* name);
  Precision precision(const char* name);  // 'float32', 'bfloat16' or 'int8'
  uint32_t bits(const char* name);        // a number modulo 2^32
  // An object of dropout's probability and seed, drop path's, and the number of samples that the rows belong to.
  Drops drops(const char* name, int64_t rows);

  float* floats(const char* name, int64_t count);        // a Float32Array of exactly `count` elements
  float* floatsOrNull(const char* name, int64_t count);  // the same, or null
  int32_t* intsOrNull(const char* name, int64_t count);  // an Int32Array of exactly `count` elements, or null

  // Either: a Float32Array, or a Uint16Array of bfloat16.
  FloatOrBf16 numbers(const char* name, int64_t count);
  FloatOrBf16Out numbersOut(const char* name, int64_t count);

  std::vector<float*> floatArrays(const char* name,
                                  std::vector<int64_t>& counts);  // of any lengths: `counts` tells them
  std::vector<float*> floatArraysOf(const char* name, const std::vector<int64_t>& counts);  // one of each length

  // What the call returns.
  JsValue answer(double number);
  JsValue answer(bool flag);
  JsValue answer(std::initializer_list<int64_t> numbers);

#if !defined(__wasm__)
  uint8_t* bytes(const char* name, int64_t count);  // a Uint8Array or Uint8ClampedArray of exactly `count` bytes

  void* buffer(const char* name, int64_t* bytes);  // an ArrayBuffer
  std::string text(const char* name);
  void* external(const char* name);              // what napi_create_external made
  napi_value latest() const { return latest_; }  // the argument that was taken last, itself

  napi_env env() const { return env_; }
#endif

 private:
  [[noreturn]] void fail(const char* name, const std::string& what) const;
  [[noreturn]] void failNumber(const char* name, double number, const char* expected) const;

#if defined(__wasm__)
  int32_t object_;  // the host's number of it
#else
  Arguments(napi_env env, napi_value object, std::string prefix)
      : prefix_(std::move(prefix)), env_(env), object_(object) {}
  napi_value next(const char* name);
  [[noreturn]] void wrongLength(const char* name, int64_t length, int64_t expected) const;
  void* typedArray(napi_value value, const char* name, napi_typedarray_type type, const char* typeName,
                   int64_t* count) const;
  bool isArrayOf(napi_value value, napi_typedarray_type type) const;
  napi_value arrayOf(const char* name, uint32_t* length);
  float* floatsAt(napi_value array, uint32_t i, const char* name, int64_t* count) const;
  bool isNull(napi_value value) const;

  static constexpr size_t capacity = 16;
  std::string prefix_;  // of a property's name in errors: the path of the object that holds it
  napi_env env_;
  napi_value object_ = nullptr;  // what holds the arguments by name; null where they come in order
  napi_value values_[capacity], latest_ = nullptr;
  size_t count_ = capacity, next_ = 0;
#endif
};

#if !defined(__wasm__)
// Throws when a Node-API call failed.
void check(napi_status status);

napi_value toJs(napi_env env, double value);
#endif

}  // namespace vitral
