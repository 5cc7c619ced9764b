// A stand-in of the CUDA runtime, for machines without a GPU: streams are threads, and device memory is main memory that
// must not be mistaken for it. FAKE_CUDA_DEVICES says how many devices there are (8).
//
// What the interface does not allow ends the process, and so does what is not given back before the process ends.
#include "cudart.h"

#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>

namespace {

struct Stream {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> work;
  bool busy = false, ended = false;
  std::thread thread{[this] {
    std::unique_lock<std::mutex> lock(mutex);
    for (;;) {
      changed.wait(lock, [&] { return ended || !work.empty(); });
      if (work.empty()) return;
      auto next = std::move(work.front());
      work.pop_front();
      busy = true;
      lock.unlock();
      usleep(200);  // nobody gets away with not waiting
      next();
      lock.lock();
      busy = false;
    }
  }};
};

std::mutex mutex;
std::map<const char*, size_t> device, host;
std::set<Stream*> streams;
thread_local int current = -1;

bool lies(const std::map<const char*, size_t>& within, const void* memory, size_t bytes) {
  std::lock_guard<std::mutex> lock(mutex);
  const char* from = static_cast<const char*>(memory);
  auto after = within.upper_bound(from);
  if (after == within.begin()) return false;
  const auto& [start, size] = *--after;
  return from + bytes <= start + size;
}

int add(std::map<const char*, size_t>& to, void** memory, size_t bytes) {
  if (current < 0) misuse("memory before cudaSetDevice");
  *memory = std::malloc(bytes);
  std::memset(*memory, 0x7f, bytes);
  std::lock_guard<std::mutex> lock(mutex);
  to[static_cast<char*>(*memory)] = bytes;
  return 0;
}

int remove(std::map<const char*, size_t>& from, void* memory) {
  std::lock_guard<std::mutex> lock(mutex);
  if (!from.erase(static_cast<char*>(memory))) misuse("memory given back that was not taken there");
  std::free(memory);
  return 0;
}

Stream* streamOf(void* handle) {
  std::lock_guard<std::mutex> lock(mutex);
  if (!streams.count(static_cast<Stream*>(handle))) misuse("no stream");
  return static_cast<Stream*>(handle);
}

struct AtEnd {
  ~AtEnd() {
    if (device.empty() && host.empty() && streams.empty()) return;
    std::fprintf(stderr, "fake CUDA: left are %zu of the device, %zu of the host, %zu streams\n", device.size(), host.size(),
                 streams.size());
    _exit(70);
  }
} atEnd;

int deviceCount() {
  const char* given = std::getenv("FAKE_CUDA_DEVICES");
  return given ? std::atoi(given) : 8;
}

}  // namespace

void misuse(const char* what) {
  std::fprintf(stderr, "fake CUDA: %s\n", what);
  _exit(71);
}

void enqueue(void* handle, std::function<void()> work) {
  Stream* stream = streamOf(handle);
  std::lock_guard<std::mutex> lock(stream->mutex);
  stream->work.push_back(std::move(work));
  stream->changed.notify_all();
}

bool isDeviceMemory(const void* memory, size_t bytes) { return lies(device, memory, bytes); }
bool hasDevice() { return current >= 0; }

extern "C" {

int cudaGetDeviceCount(int* count) {
  *count = deviceCount();
  return *count > 0 ? 0 : 100;
}
int cudaSetDevice(int id) {
  if (id < 0 || id >= deviceCount()) return 101;
  current = id;
  return 0;
}
int cudaDeviceGetPCIBusId(char* id, int length, int of) { return std::snprintf(id, length, "0000:%02x:00.0", of) > 0 ? 0 : 1; }
int cudaMalloc(void** memory, size_t bytes) { return add(device, memory, bytes); }
int cudaFree(void* memory) { return remove(device, memory); }
int cudaMallocHost(void** memory, size_t bytes) { return add(host, memory, bytes); }
int cudaFreeHost(void* memory) { return remove(host, memory); }

int cudaStreamCreateWithFlags(void** stream, unsigned flags) {
  if (flags > 1) misuse("unknown flags of a stream");
  Stream* made = new Stream;
  std::lock_guard<std::mutex> lock(mutex);
  streams.insert(made);
  *stream = made;
  return 0;
}
int cudaStreamDestroy(void* handle) {
  Stream* stream = streamOf(handle);
  {
    std::lock_guard<std::mutex> lock(stream->mutex);
    stream->ended = true;
    stream->changed.notify_all();
  }
  stream->thread.join();
  std::lock_guard<std::mutex> lock(mutex);
  streams.erase(stream);
  delete stream;
  return 0;
}
int cudaStreamQuery(void* handle) {
  Stream* stream = streamOf(handle);
  std::lock_guard<std::mutex> lock(stream->mutex);
  return stream->busy || !stream->work.empty() ? 600 : 0;
}
int cudaMemcpyAsync(void* to, const void* from, size_t bytes, int kind, void* stream) {
  if (kind != 1 && kind != 2) misuse("a copy that is neither to the device nor from it");
  if (!lies(device, kind == 1 ? to : from, bytes)) misuse("a copy of what is not in the device");
  if (!lies(host, kind == 1 ? from : to, bytes)) misuse("a copy that waits, of memory that is not page-locked");
  enqueue(stream, [=] { std::memcpy(to, from, bytes); });
  return 0;
}
const char* cudaGetErrorString(int code) { return code == 100 ? "no CUDA-capable device is detected" : "an error of CUDA"; }
}
