// A stand-in of NCCL, over a file that the processes map: it sums in the order of the last rank to the first, so that
// nobody takes its bits for those of another engine. FAKE_NCCL_VERSION is its version code (22304).
//
// A communicator that was made not to block says `in progress` for a while. What the interface does not allow ends the
// process.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include "cudart.h"

namespace {

constexpr int most = 8;
constexpr size_t slotFloats = size_t{1} << 22;

struct Shared {
  std::atomic<uint64_t> steps[most];
  float slots[most][slotFloats];
};

struct Communicator {
  Shared* shared;
  int rank, worldSize;
  std::atomic<bool> aborted{false};
  std::atomic<int> underWay{0};
  uint64_t step = 0;
  bool finalized = false;
  std::string path{};

  // Until all have come to this step. Of one that has died none of them learns.
  bool meet() {
    shared->steps[rank] = ++step;
    for (int of = 0; of < worldSize; of++)
      while (shared->steps[of] < step) {
        if (aborted) return false;
        usleep(50);
      }
    return true;
  }
};

Communicator* known(void* handle) {
  if (!handle) misuse("no communicator");
  Communicator* communicator = static_cast<Communicator*>(handle);
  if (communicator->aborted) misuse("a communicator is used that was aborted");
  return communicator;
}

std::atomic<int> alive{0};
struct AtEnd {
  ~AtEnd() {
    if (alive == 0) return;
    std::fprintf(stderr, "fake NCCL: %d communicators are left\n", alive.load());
    _exit(72);
  }
} atEnd;

struct UniqueId {
  char bytes[128];
};
struct Config {
  size_t size;
  unsigned magic, version;
  int blocking;
};

}  // namespace

extern "C" {

int ncclGetVersion(int* version) {
  const char* given = std::getenv("FAKE_NCCL_VERSION");
  *version = given ? std::atoi(given) : 22304;
  return 0;
}
const char* ncclGetErrorString(int code) { return code == 6 ? "remote process exited" : "an error of NCCL"; }

int ncclGetUniqueId(UniqueId* id) {
  std::snprintf(id->bytes, sizeof id->bytes, "/dev/shm/fake-nccl-%d-%ld", getpid(), (long)std::clock());
  const int file = open(id->bytes, O_RDWR | O_CREAT | O_EXCL, 0600);
  if (file < 0 || ftruncate(file, sizeof(Shared))) return 2;
  close(file);
  return 0;
}

int ncclCommInitRankConfig(void** handle, int worldSize, UniqueId id, int rank, const Config* config) {
  if (!hasDevice()) misuse("a communicator before cudaSetDevice");
  if (config->magic != 0xcafebeef || config->size < sizeof(Config) || config->version < 21400) misuse("no configuration");
  if (config->blocking != 0) misuse("a communicator that blocks");
  if (worldSize > most || rank >= worldSize) return 4;
  const int file = open(id.bytes, O_RDWR);
  if (file < 0) return 2;
  void* memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  auto* made = new Communicator{static_cast<Shared*>(memory), rank, worldSize};
  made->path = id.bytes;
  made->shared->steps[rank] = made->step = 1;
  alive++;
  *handle = made;
  return 7;
}

int ncclCommGetAsyncError(void* handle, int* code) {
  Communicator* communicator = known(handle);
  *code = 0;
  for (int of = 0; of < communicator->worldSize; of++)
    if (communicator->shared->steps[of] < 1) *code = 7;
  if (*code == 0) unlink(communicator->path.c_str());
  if (communicator->finalized && communicator->underWay > 0) *code = 7;
  return 0;
}

int ncclAllReduce(const void* from, void* to, size_t count, int type, int operation, void* handle, void* stream) {
  Communicator* communicator = known(handle);
  if (communicator->finalized) misuse("a sum after ncclCommFinalize");
  if (type != 7 || operation != 0) misuse("other than a sum of float32");
  if (count > slotFloats) misuse("more than the stand-in has room for");
  if (!isDeviceMemory(from, count * 4) || !isDeviceMemory(to, count * 4)) misuse("a sum of what is not in the device");
  // In the order in which they were begun, whatever their streams.
  static std::atomic<uint64_t> begun{0}, turn{0};
  const uint64_t own = begun++;
  communicator->underWay++;
  enqueue(stream, [=] {
    while (turn != own) usleep(20);
    Shared& shared = *communicator->shared;
    std::memcpy(shared.slots[communicator->rank], from, count * 4);
    if (communicator->meet()) {
      std::vector<float> sum(count, 0.0f);
      for (int of = communicator->worldSize - 1; of >= 0; of--)
        for (size_t i = 0; i < count; i++) sum[i] += shared.slots[of][i];
      communicator->meet();
      std::memcpy(to, sum.data(), count * 4);
    }
    communicator->underWay--;
    turn++;
  });
  return 7;
}

int ncclCommFinalize(void* handle) {
  known(handle)->finalized = true;
  return 7;
}
int ncclCommDestroy(void* handle) {
  Communicator* communicator = known(handle);
  if (!communicator->finalized || communicator->underWay > 0) misuse("ncclCommDestroy before all has ended");
  munmap(communicator->shared, sizeof(Shared));
  delete communicator;
  alive--;
  return 0;
}
int ncclCommAbort(void* handle) {
  Communicator* communicator = known(handle);
  communicator->aborted = true;
  while (communicator->underWay > 0) usleep(50);
  unlink(communicator->path.c_str());
  alive--;  // kept, so that a later use is found
  return 0;
}
}
