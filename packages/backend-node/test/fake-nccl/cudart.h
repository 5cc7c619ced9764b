// What the stand-in of NCCL asks of that of the CUDA runtime.
#pragma once
#include <cstddef>
#include <functional>

// Ends the process: a call that the documented interface does not allow.
[[noreturn]] void misuse(const char* what);
// Runs when what was begun in the stream before has.
void enqueue(void* stream, std::function<void()> work);
// Whether all of it is memory that cudaMalloc returned and cudaFree has not taken back.
bool isDeviceMemory(const void* memory, size_t bytes);
bool hasDevice();
