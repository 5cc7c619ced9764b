// How the host of a WebAssembly module gives the arguments.
#include "../addon/arguments.h"

#include "host.h"

namespace vitral {

void throwArgumentError(const std::string& message) { hostFail(0, nullptr, message.c_str()); }

void Arguments::fail(const char* name, const std::string& what) const { hostFail(object_, name, what.c_str()); }

void Arguments::failNumber(const char* name, double number, const char* expected) const {
  hostFailNumber(object_, name, number, expected);
}

Arguments Arguments::object(const char* name) { return Arguments(hostObject(object_, name)); }
double Arguments::number(const char* name) { return hostNumber(object_, name); }
bool Arguments::flag(const char* name) { return hostFlag(object_, name); }
Precision Arguments::precision(const char* name) { return (Precision)hostDtype(object_, name); }

float* Arguments::floats(const char* name, int64_t count) {
  return (float*)hostFloats(object_, name, (double)count, false, false);
}

float* Arguments::floatsOrNull(const char* name, int64_t count) {
  return (float*)hostFloats(object_, name, (double)count, true, false);
}

FloatOrBf16Out Arguments::numbersOut(const char* name, int64_t count) {
  const uint32_t address = hostFloats(object_, name, (double)count, false, true);
  if (address & 1) return (uint16_t*)(address - 1);
  return (float*)address;
}

int32_t* Arguments::intsOrNull(const char* name, int64_t count) {
  return (int32_t*)hostInts(object_, name, (double)count);
}

std::vector<float*> Arguments::floatArrays(const char* name, std::vector<int64_t>& counts) {
  const int32_t array = hostArray(object_, name), length = hostLength(array);
  std::vector<float*> all((size_t)length);
  counts.resize((size_t)length);
  for (int32_t i = 0; i < length; i++) {
    all[(size_t)i] = (float*)hostEntry(array, name, i, -1);
    counts[(size_t)i] = (int64_t)hostEntryLength(array, i);
  }
  return all;
}

std::vector<float*> Arguments::floatArraysOf(const char* name, const std::vector<int64_t>& counts) {
  const int32_t array = hostArray(object_, name), length = hostLength(array);
  if ((size_t)length != counts.size())
    fail(name, "has " + decimal(length) + " entries; expected " + decimal(counts.size()));
  std::vector<float*> all(counts.size());
  for (int32_t i = 0; i < length; i++) all[(size_t)i] = (float*)hostEntry(array, name, i, (double)counts[(size_t)i]);
  return all;
}

JsValue Arguments::answer(double number) {
  hostAnswer(0, number);
  return nullptr;
}

JsValue Arguments::answer(bool flag) {
  hostAnswer(1, flag);
  return nullptr;
}

JsValue Arguments::answer(std::initializer_list<int64_t> numbers) {
  for (const int64_t number : numbers) hostAnswer(2, (double)number);
  return nullptr;
}

}  // namespace vitral
