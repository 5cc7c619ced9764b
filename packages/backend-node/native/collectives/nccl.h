// Sums on the GPUs of the processes, by NVIDIA's NCCL. The arrays are in main memory: each passes through page-locked
// memory to the process's GPU and back, in parts. NCCL adds in an order of its own: every process has the same bits,
// but with three or more of them not those of the other engines; each addition is rounded to float32.
//
// How the processes meet, who of them is about to do what and who has died is another transport's: shared memory on one
// machine, MPI on many. What is no sum goes through that one as well, for it is in main memory and stays there.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nccl-library.h"
#include "transport.h"

namespace vitral {

struct NcclOptions {
  int rank = 0, worldSize = 1;
  int localRank = 0;                             // which GPU it takes, of those that it sees
  std::vector<std::string> libraries, runtimes;  // of NCCL and of CUDA, as dlopen finds them, the first that is there
  int64_t timeoutMilliseconds = 0;
};

class Nccl : public Transport {
 public:
  // `meet` connects the transport by which the processes meet. `interrupted`, set by another thread, ends whatever
  // waits.
  Nccl(const NcclOptions& options, const std::function<std::unique_ptr<Transport>()>& meet,
       const std::atomic<bool>& interrupted);
  ~Nccl() override;

  void allReduce(float* values, size_t count) override;
  void broadcast(void* bytes, size_t size, int root) override { others_->broadcast(bytes, size, root); }
  void allGather(const void* bytes, size_t size, void* all) override { others_->allGather(bytes, size, all); }
  void agree(const Operation& operation) override { others_->agree(operation); }
  std::optional<Failure> whoHasEnded() override { return others_->whoHasEnded(); }
  void leave(const Failure& failure) override;

 private:
  using Clock = std::chrono::steady_clock;
  // A part of an array on its way through the GPU; while one is there the other is filled.
  struct Stage {
    float *host = nullptr, *device = nullptr;
    Cuda::Stream stream = nullptr;
    float* values = nullptr;  // where the sum goes; nothing is on its way without
    size_t count = 0;
  };

  void checkDevices(int device);
  void createCommunicator();
  void allocate(Stage& stage);
  void sum(float* values, size_t count);
  void send(Stage& stage, float* values, size_t count);
  void receive(Stage& stage);
  void settle(int code, const char* what);
  void waitUntil(const std::function<bool()>& done, const std::string& what);
  void abort();
  void release();

  const Cuda cuda_;
  const NcclLibrary nccl_;
  const std::atomic<bool>& interrupted_;
  const int rank_, worldSize_;
  const std::chrono::milliseconds timeout_;
  std::unique_ptr<Transport> others_;
  NcclLibrary::Communicator communicator_ = nullptr;
  Stage stages_[2];
};

}  // namespace vitral
