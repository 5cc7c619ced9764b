// How Node-API gives the arguments.
#include "arguments.h"

#include <cstring>

namespace vitral {

void check(napi_status status) {
  if (status != napi_ok) throw std::runtime_error("Node-API call failed with status " + std::to_string(status));
}

void throwArgumentError(const std::string& message) { throw ArgumentError(message); }

OutOfMemory::OutOfMemory(int64_t bytes)
    : std::runtime_error("the system has no " + std::to_string((bytes + (1 << 20) - 1) >> 20) +
                         " MB of memory left; a smaller batch takes less") {}

napi_value toJs(napi_env env, double value) {
  napi_value result;
  check(napi_create_double(env, value, &result));
  return result;
}

static bool isPlainObject(napi_env env, napi_value value) {
  napi_valuetype type;
  bool array = false, typed = false, buffer = false;
  check(napi_typeof(env, value, &type));
  if (type != napi_object) return false;
  check(napi_is_array(env, value, &array));
  check(napi_is_typedarray(env, value, &typed));
  check(napi_is_arraybuffer(env, value, &buffer));
  return !array && !typed && !buffer;
}

Arguments::Arguments(napi_env env, napi_callback_info info) : env_(env) {
  check(napi_get_cb_info(env, info, &count_, values_, nullptr, nullptr));
  if (count_ > capacity) throwArgumentError("too many arguments");
  if (count_ == 1 && isPlainObject(env, values_[0])) object_ = values_[0];
}

napi_value Arguments::next(const char* name) {
  if (object_) {
    check(napi_get_named_property(env_, object_, name, &latest_));
  } else {
    if (next_ == count_) fail(name, "is missing");
    latest_ = values_[next_++];
  }
  return latest_;
}

Arguments Arguments::object(const char* name) {
  const napi_value value = next(name);
  if (!isPlainObject(env_, value)) fail(name, "is not an object");
  return Arguments(env_, value, prefix_ + name + ".");
}

double Arguments::number(const char* name) {
  double value = 0;
  if (napi_get_value_double(env_, next(name), &value) != napi_ok) fail(name, "is not a number");
  return value;
}

Precision Arguments::precision(const char* name) {
  char given[16];
  size_t length;
  if (napi_get_value_string_utf8(env_, next(name), given, sizeof given, &length) == napi_ok) {
    if (!std::strcmp(given, "float32")) return Precision::float32;
    if (!std::strcmp(given, "bfloat16")) return Precision::bfloat16;
    if (!std::strcmp(given, "int8")) return Precision::int8;
  }
  fail(name, "is not 'float32', 'bfloat16' or 'int8'");
}

bool Arguments::flag(const char* name) {
  bool value = false;
  if (napi_get_value_bool(env_, next(name), &value) != napi_ok) fail(name, "is not true or false");
  return value;
}

float* Arguments::floats(const char* name, int64_t count) {
  return (float*)typedArray(next(name), name, napi_float32_array, "Float32Array", &count);
}

float* Arguments::floatsOrNull(const char* name, int64_t count) {
  const napi_value value = next(name);
  return isNull(value) ? nullptr : (float*)typedArray(value, name, napi_float32_array, "Float32Array", &count);
}

FloatOrBf16Out Arguments::numbersOut(const char* name, int64_t count) {
  const napi_value value = next(name);
  if (isArrayOf(value, napi_uint16_array)) return (uint16_t*)typedArray(value, name, napi_uint16_array, "", &count);
  return (float*)typedArray(value, name, napi_float32_array, "Float32Array, nor a Uint16Array", &count);
}

int32_t* Arguments::intsOrNull(const char* name, int64_t count) {
  const napi_value value = next(name);
  return isNull(value) ? nullptr : (int32_t*)typedArray(value, name, napi_int32_array, "Int32Array", &count);
}

uint8_t* Arguments::bytes(const char* name, int64_t count) {
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env_, next(name), &type, &length, &data, nullptr, nullptr) != napi_ok ||
      (type != napi_uint8_array && type != napi_uint8_clamped_array))
    fail(name, "is neither a Uint8Array nor a Uint8ClampedArray");
  if ((int64_t)length != count) wrongLength(name, (int64_t)length, count);
  return (uint8_t*)data;
}

void* Arguments::buffer(const char* name, int64_t* bytes) {
  void* data = nullptr;
  size_t length = 0;
  const napi_value value = next(name);
  bool matches = false;
  check(napi_is_arraybuffer(env_, value, &matches));
  if (!matches) fail(name, "is not an ArrayBuffer");
  check(napi_get_arraybuffer_info(env_, value, &data, &length));
  *bytes = (int64_t)length;
  return data;
}

std::string Arguments::text(const char* name) {
  size_t length = 0;
  const napi_value value = next(name);
  if (napi_get_value_string_utf8(env_, value, nullptr, 0, &length) != napi_ok) fail(name, "is not a string");
  std::string result(length + 1, 0);
  check(napi_get_value_string_utf8(env_, value, &result[0], result.size(), &length));
  result.resize(length);
  return result;
}

void* Arguments::external(const char* name) {
  void* data = nullptr;
  if (napi_get_value_external(env_, next(name), &data) != napi_ok || !data) fail(name, "is not of this addon");
  return data;
}

bool Arguments::isArrayOf(napi_value value, napi_typedarray_type type) const {
  napi_typedarray_type actual;
  return napi_get_typedarray_info(env_, value, &actual, nullptr, nullptr, nullptr, nullptr) == napi_ok &&
         actual == type;
}

napi_value Arguments::arrayOf(const char* name, uint32_t* length) {
  const napi_value array = next(name);
  if (napi_get_array_length(env_, array, length) != napi_ok) fail(name, "is not an array");
  return array;
}

JsValue Arguments::answer(double number) { return toJs(env_, number); }

JsValue Arguments::answer(bool flag) {
  napi_value result;
  check(napi_get_boolean(env_, flag, &result));
  return result;
}

JsValue Arguments::answer(std::initializer_list<int64_t> numbers) {
  napi_value list;
  uint32_t count = 0;
  check(napi_create_array_with_length(env_, numbers.size(), &list));
  for (const int64_t number : numbers) check(napi_set_element(env_, list, count++, toJs(env_, (double)number)));
  return list;
}

std::vector<float*> Arguments::floatArrays(const char* name, std::vector<int64_t>& counts) {
  uint32_t length = 0;
  const napi_value array = arrayOf(name, &length);
  std::vector<float*> all(length);
  counts.assign(length, -1);
  for (uint32_t i = 0; i < length; i++) all[i] = floatsAt(array, i, name, &counts[i]);
  return all;
}

std::vector<float*> Arguments::floatArraysOf(const char* name, const std::vector<int64_t>& counts) {
  uint32_t length = 0;
  const napi_value array = arrayOf(name, &length);
  if (length != counts.size())
    fail(name, "has " + std::to_string(length) + " entries; expected " + std::to_string(counts.size()));
  std::vector<float*> all(length);
  for (uint32_t i = 0; i < length; i++) {
    int64_t count = counts[i];
    all[i] = floatsAt(array, i, name, &count);
  }
  return all;
}

float* Arguments::floatsAt(napi_value array, uint32_t i, const char* name, int64_t* count) const {
  napi_value entry;
  check(napi_get_element(env_, array, i, &entry));
  return (float*)typedArray(entry, name, napi_float32_array, "Float32Array", count);
}

// *count is what is expected, or -1 for any length; it becomes the length.
void* Arguments::typedArray(napi_value value, const char* name, napi_typedarray_type type, const char* typeName,
                            int64_t* count) const {
  napi_typedarray_type actual;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env_, value, &actual, &length, &data, nullptr, nullptr) != napi_ok || actual != type)
    fail(name, std::string("is not a ") + typeName);
  if (*count >= 0 && (int64_t)length != *count) wrongLength(name, (int64_t)length, *count);
  *count = (int64_t)length;
  return data;
}

bool Arguments::isNull(napi_value value) const {
  napi_valuetype type;
  check(napi_typeof(env_, value, &type));
  return type == napi_null || type == napi_undefined;
}

void Arguments::wrongLength(const char* name, int64_t length, int64_t expected) const {
  fail(name, "has " + std::to_string(length) + " elements; expected " + std::to_string(expected));
}

void Arguments::fail(const char* name, const std::string& what) const {
  throwArgumentError(prefix_ + name + " " + what);
}

void Arguments::failNumber(const char* name, double number, const char* expected) const {
  fail(name, "is " + std::to_string(number) + "; expected " + expected);
}

}  // namespace vitral
