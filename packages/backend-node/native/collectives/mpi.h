// Collectives of processes on any machines, started by mpirun, through the MPI that is installed. MPI's own sums leave
// their order to it; here each rank adds up its slice in the order of the ranks, so that every engine has the same
// bits.
#pragma once

#include <atomic>
#include <chrono>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mpi-library.h"
#include "operation.h"
#include "transport.h"

namespace vitral {

struct MpiOptions {
  int rank = 0, worldSize = 1;
  std::vector<std::string> libraries;  // as dlopen finds them, the first that is there
  std::string token;                   // what every process must have in common
  int64_t timeoutMilliseconds = 0;
};

class Mpi : public Transport {
 public:
  // `interrupted`, set by another thread, ends whatever waits.
  Mpi(const MpiOptions& options, const std::atomic<bool>& interrupted);
  // Ends MPI once all have come to that.
  ~Mpi() override;

  void allReduce(float* values, size_t count) override;
  void broadcast(void* bytes, size_t size, int root) override;
  void allGather(const void* bytes, size_t size, void* all) override;
  void agree(const Operation& operation) override;
  std::optional<Failure> whoHasEnded() override;
  void leave(const Failure& failure) override;

 private:
  using Clock = std::chrono::steady_clock;
  using Parts = MpiLibrary::Parts;
  enum Tag : int { question = 1, answer, closing };
  struct Word {
    int32_t from, failed;
    uint64_t number;    // of the operation it came to last
    int32_t waitedFor;  // of its failure
    char reason[236];   // why it failed
  };
  // Kept until it has gone.
  struct Message {
    Word word;
    MpiLibrary::Request request;
  };

  void begin(uint64_t kind, size_t size, uint64_t root = 0);
  void checkTokens(const std::string& token);
  void wait(MpiLibrary::Request request);
  void tellOthers(Tag tag);
  void tell(int rank, Tag tag);
  void listen();
  void checkOthers();
  bool allHaveClosed() const;
  void askOthers();
  Failure whoIsMissing();
  Failure missing() const;
  bool isFirstToWait() const;
  std::string nameOfOperation() const;
  [[noreturn]] void fail(const Failure& failure);

  std::unique_ptr<MpiLibrary> library_;
  const std::atomic<bool>& interrupted_;
  const int rank_, worldSize_;
  const std::chrono::milliseconds timeout_;
  Operation operation_{};
  uint64_t number_ = 0;  // of the operation
  bool failed_ = false, hasClosed_ = false;
  Failure failure_;  // of this one
  std::list<Message> sent_;
  std::vector<bool> answered_;  // by rank
  std::vector<std::optional<Word>> closed_;
  std::vector<float> gathered_;  // of a sum: everyone's values of this rank's slice
};

}  // namespace vitral
