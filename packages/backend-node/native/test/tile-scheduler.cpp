// Checks how threads share a product: claims CHECK. No thread runs here: who claims when is played through in numbers.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#define VITRAL_ISA portable
#include "../gemm/tile-scheduler.h"

using namespace vitral::portable;

namespace {

// As wide and as tall as those of AVX-512.
struct Panels {
  static constexpr int64_t nr = 32, mc = 224, soleMc = 224;
  static int64_t leftPanels(int64_t M) { return (M + 13) / 14; }
};

struct Shape {
  const char* name;
  int64_t M, N;
  bool inPlace;
};

// Products of ViT-B/16 with 1 and 8 images, its head, ViT-Ti/4 with 64 images; rows or columns of each.
constexpr Shape shapes[] = {
    {"197 x 768", 197, 768, false}, {"197 x 3072 in place", 197, 3072, true}, {"1576 x 3072", 1576, 3072, false},
    {"8 x 1000", 8, 1000, false},   {"4160 x 192", 4160, 192, false},         {"192 x 768", 192, 768, false},
    {"1 x 1", 1, 1, false},         {"6304 x 768", 6304, 768, false}};

void require(bool holds, const Shape& shape, int64_t threads, const char* what) {
  if (holds) return;
  std::printf("FAILED: %s, %lld threads: %s\n", shape.name, (long long)threads, what);
  std::exit(1);
}

Sharing sharingOf(const Shape& shape, int64_t threads) {
  return chooseSharing<Panels>(shape.M, shape.N, threads, shape.inPlace);
}

// Thread t does slowness[t] of time for a unit; gives how many units each got, and when the last one is done.
struct Outcome {
  std::vector<int64_t> units;
  double end = 0;
};
Outcome play(const Sharing& sharing, const std::vector<double>& slowness) {
  const size_t threads = slowness.size();
  TileScheduler scheduler(sharing, (int64_t)threads);
  Outcome outcome{std::vector<int64_t>(threads, 0)};
  std::vector<double> free(threads, 0);
  for (;;) {
    const size_t next = (size_t)(std::min_element(free.begin(), free.end()) - free.begin());
    const Range claimed = scheduler.claim();
    if (claimed.length() == 0) return outcome;
    free[next] += slowness[next] * (double)claimed.length();
    outcome.units[next] += claimed.length();
    outcome.end = std::max(outcome.end, free[next]);
  }
}

// Every unit is claimed once, in order, whatever the shape and the threads.
void covers() {
  for (const Shape& shape : shapes)
    for (int64_t threads = 1; threads <= 9; threads++) {
      const Sharing sharing = sharingOf(shape, threads);
      TileScheduler scheduler(sharing, threads);
      int64_t reached = 0;
      for (Range claimed = scheduler.claim(); claimed.length() > 0; claimed = scheduler.claim()) {
        require(claimed.begin == reached, shape, threads, "a claim does not begin where the last one ended");
        reached = claimed.end;
        require(scheduler.next() == reached, shape, threads, "the next claim begins elsewhere");
      }
      require(reached == sharing.units, shape, threads, "not all is claimed");
      require(scheduler.claim().length() == 0, shape, threads, "something is claimed twice");
    }
}

// Pieces never grow, and of many rows those at the end are a quarter of those at the beginning.
void shrinks() {
  for (const Shape& shape : shapes) {
    const Sharing sharing = sharingOf(shape, 2);
    TileScheduler scheduler(sharing, 2);
    const int64_t first = scheduler.claim().length();
    int64_t last = first, rest = sharing.units - first;
    while (rest > 0) {
      const int64_t length = scheduler.claim().length();
      require(length <= last, shape, 2, "a piece is longer than the one before it");
      require(length >= sharing.shortest || length == rest, shape, 2, "a piece is shorter than is worth it");
      rest -= length;
      last = length;
    }
    if (shape.M >= 4 * Panels::mc) require(4 * last <= first + 3, shape, 2, "the last piece is as long as the first");
  }
}

// A thread at a quarter of the speed gets a quarter of what the others get, and they wait little for it.
void heldUp() {
  int played = 0;
  for (const Shape& shape : shapes) {
    const Sharing sharing = sharingOf(shape, 2);
    const bool halves = sharing.byRows() && shape.M < 4 * Panels::mc;  // chooseSharing says why
    if (halves || sharing.units < 32) continue;
    played++;
    const Outcome even = play(sharing, {1, 1}), uneven = play(sharing, {1, 4});
    require(even.end <= 0.55 * (double)sharing.units, shape, 2,
            "undisturbed threads are not done at about the same time");
    require(uneven.units[1] < uneven.units[0] / 2, shape, 2, "a thread that is held up gets as much as the other");
    // Together they do 1.25 units of work at a time; halves would take until 2 units' time.
    require(uneven.end <= 1.2 * (double)sharing.units / 1.25, shape, 2,
            "the other thread waits for the one that is held up");
  }
  if (played < 4) std::exit(3);
}

}  // namespace

int main(int count, char** arguments) {
  const std::string check = count > 1 ? arguments[1] : "";
  if (check == "covers") covers();
  else if (check == "shrinks") shrinks();
  else if (check == "held-up") heldUp();
  else return 2;
}
