// What is inlined always: where files for several instruction sets share a function, the linker might keep the copy of
// a set that the machine lacks.
#pragma once

#define VITRAL_INLINE inline __attribute__((always_inline))
