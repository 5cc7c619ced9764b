// Collectives without JavaScript, for the sanitizers: every rank is a communicator of this process, and a thread.
//   g++ -g -O1 -fsanitize=thread -std=c++17 collectives/*.cpp test/collectives.cpp -o collectives -pthread &&
//   ./collectives
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <future>
#include <thread>
#include <vector>

#include "../collectives/communicator.h"
#include "../collectives/shared-memory.h"

using namespace vitral;

namespace {

#define CHECK(condition) \
  if (!(condition)) std::printf("FAILED %s:%d: %s\n", __FILE__, __LINE__, #condition), std::exit(1)

std::string textOf(const std::exception_ptr& failure) {
  try {
    if (failure) std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

struct Work : Communicator::Job {
  std::function<void(Transport&)> work = [](Transport&) {};
  std::promise<std::string> outcome;
  void run(Transport& transport) override { work(transport); }
};

class Rank {
 public:
  Rank(int rank, int worldSize, const char* run, int64_t timeout = 60000)
      : communicator_(
            [=](const std::atomic<bool>& interrupted) {
              LocalOptions options;
              options.rank = rank;
              options.worldSize = worldSize;
              options.name = "vitral-test-" + std::to_string(getpid()) + "-" + run;
              options.id = run;
              options.timeoutMilliseconds = timeout;
              return connectLocal(options, interrupted);
            },
            [](std::unique_ptr<Communicator::Job> job) {
              static_cast<Work&>(*job).outcome.set_value(textOf(job->failure));
            }) {}

  std::future<std::string> begin(std::function<void(Transport&)> work) {
    auto job = std::make_unique<Work>();
    job->work = std::move(work);
    std::future<std::string> outcome = job->outcome.get_future();
    communicator_.begin(std::move(job));
    return outcome;
  }

  // Once the others wait for it.
  void runAtOnce(std::function<void(Transport&)> work, size_t size) {
    Work job;
    job.work = std::move(work);
    job.size = size;
    while (!communicator_.runAtOnce(job)) std::this_thread::yield();
    CHECK(!job.failure);
  }

  void close() {
    auto job = std::make_unique<Work>();
    std::future<std::string> outcome = job->outcome.get_future();
    communicator_.beginLast(std::move(job));
    CHECK(outcome.get().empty());
  }

  void stop() { communicator_.stop(); }

 private:
  Communicator communicator_;
};

using Ranks = std::vector<std::unique_ptr<Rank>>;

Ranks start(int worldSize, const char* run) {
  Ranks ranks;
  for (int rank = 0; rank < worldSize; rank++) ranks.push_back(std::make_unique<Rank>(rank, worldSize, run));
  return ranks;
}

float value(size_t rank, size_t i) { return (float)((i * 2654435761u + rank * 977u) % 100003u) / 7.0f; }

void sums(int worldSize) {
  Ranks ranks = start(worldSize, "sums");
  for (const size_t count : {0, 1, 17, 4096, 4097, 65536, 65537, 300001}) {
    std::vector<std::vector<float>> values(ranks.size(), std::vector<float>(count));
    std::vector<std::vector<uint8_t>> gathered(ranks.size());
    std::vector<std::future<std::string>> outcomes;
    for (size_t rank = 0; rank < ranks.size(); rank++) {
      for (size_t i = 0; i < count; i++) values[rank][i] = value(rank, i);
      gathered[rank].resize(count * ranks.size());
      outcomes.push_back(ranks[rank]->begin([&, rank](Transport& t) {
        t.allReduce(values[rank].data(), count);
        const std::vector<uint8_t> own(count, (uint8_t)rank);
        t.allGather(own.data(), count, gathered[rank].data());
        t.broadcast(gathered[rank].data(), count, worldSize - 1);
        t.barrier();
      }));
    }
    for (auto& outcome : outcomes) CHECK(outcome.get().empty());
    for (size_t i = 0; i < count; i++) {
      float expected = value(0, i);
      for (size_t rank = 1; rank < ranks.size(); rank++) expected += value(rank, i);
      for (size_t rank = 0; rank < ranks.size(); rank++) {
        CHECK(values[rank][i] == expected);
        for (size_t of = 1; of < ranks.size(); of++) CHECK(gathered[rank][of * count + i] == of);
      }
    }
  }
  for (auto& rank : ranks) rank->close();
}

// The last to come to a short operation needs no thread for it.
void atOnce() {
  Ranks ranks = start(2, "at-once");
  std::vector<std::future<std::string>> connected;
  for (auto& rank : ranks) connected.push_back(rank->begin([](Transport&) {}));
  for (auto& outcome : connected) CHECK(outcome.get().empty());
  for (int round = 0; round < 100; round++) {
    float own[] = {1, 2}, other[] = {3, 4};
    Rank &first = *ranks[round % 2], &last = *ranks[1 - round % 2];
    auto waiting = first.begin([&](Transport& t) { t.allReduce(own, 2); });
    last.runAtOnce([&](Transport& t) { t.allReduce(other, 2); }, sizeof other);
    CHECK(waiting.get().empty());
    for (const float* sums : {own, other}) CHECK(sums[0] == 4 && sums[1] == 6);
  }
  for (auto& rank : ranks) rank->close();
}

// One that is stopped amid an operation ends, and the others are told.
void interrupted() {
  Ranks ranks = start(2, "interrupted");
  auto together = ranks[0]->begin([](Transport& t) { t.barrier(); });
  CHECK(ranks[1]->begin([](Transport& t) { t.barrier(); }).get().empty());
  CHECK(together.get().empty());
  auto waiting = ranks[0]->begin([](Transport& t) { t.barrier(); });
  auto waitingToo = ranks[0]->begin([](Transport& t) { t.barrier(); });
  ranks[1]->stop();
  CHECK(waiting.get().find("rank 1") != std::string::npos);
  CHECK(!waitingToo.get().empty());
  ranks[0]->close();
}

void alone() {
  Rank rank(1, 3, "alone", 300);
  CHECK(rank.begin([](Transport&) {}).get().find("have not come within 300 ms: 0, 2") != std::string::npos);
  Rank left(1, 3, "left");
  left.stop();  // while it connects
}

}  // namespace

int main() {
  for (int worldSize = 1; worldSize <= 4; worldSize++) sums(worldSize);
  atOnce();
  interrupted();
  alone();
  std::printf("collectives: all passed\n");
}
