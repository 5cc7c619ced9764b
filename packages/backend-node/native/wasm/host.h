// What the WebAssembly module asks of the program that loaded it; src/wasm/call-reader.ts of @vitral/backend-web
// answers.
//
// A call is one JavaScript object, as for the addon. Object 0 is the call itself; what is inside it gets a number when
// it is asked for. A value of the wrong kind or length becomes a JavaScript error there and then, which ends the call:
// nothing that lives on the stack of this side may need an end.
#pragma once

#include <cstdint>

#define VITRAL_HOST(name) __attribute__((import_module("vitral"), import_name(#name)))

extern "C" {

VITRAL_HOST(object) int32_t hostObject(int32_t object, const char* name);
VITRAL_HOST(number) double hostNumber(int32_t object, const char* name);
VITRAL_HOST(flag) int32_t hostFlag(int32_t object, const char* name);
VITRAL_HOST(dtype) int32_t hostDtype(int32_t object, const char* name);  // the number of a Precision
// The address of a Float32Array of `count` elements, or of any number of them where that is -1; 0 where `orNull` and it
// is null. orWords: of a Uint16Array it is the address plus 1.
VITRAL_HOST(floats)
uint32_t hostFloats(int32_t object, const char* name, double count, int32_t orNull, int32_t orWords);
VITRAL_HOST(ints) uint32_t hostInts(int32_t object, const char* name, double count);  // or null
VITRAL_HOST(array) int32_t hostArray(int32_t object, const char* name);               // the number of a list
VITRAL_HOST(length) int32_t hostLength(int32_t array);
VITRAL_HOST(entry) uint32_t hostEntry(int32_t array, const char* name, int32_t i, double count);
VITRAL_HOST(entryLength) double hostEntryLength(int32_t array, int32_t i);
VITRAL_HOST(answer) void hostAnswer(int32_t kind, double value);  // 0: a number, 1: a flag, 2: one more of a list
[[noreturn]] VITRAL_HOST(fail) void hostFail(int32_t object, const char* name, const char* what);
[[noreturn]] VITRAL_HOST(failNumber) void hostFailNumber(int32_t object, const char* name, double number,
                                                         const char* expected);
[[noreturn]] VITRAL_HOST(outOfMemory) void hostOutOfMemory(double bytes);
VITRAL_HOST(now) double hostNow();  // milliseconds

}  // extern "C"
