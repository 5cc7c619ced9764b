// The collectives of several processes: what each takes from JavaScript, and gives back.
#include <algorithm>
#include <cstring>
#include <sstream>

#include "../collectives/end-with-parent.h"
#include "../collectives/mpi.h"
#include "../collectives/nccl.h"
#include "../collectives/shared-memory.h"
#include "exports.h"
#include "process-group.h"

namespace vitral::exported {

namespace {

Group& groupOf(Arguments& a) { return *static_cast<Group*>(a.external("group")); }

using Bytes = std::vector<uint8_t>;

// Everyone's bytes by rank. Of any sizes: the sizes first, then all at the size of the largest.
std::vector<Bytes> gather(Transport& transport, int worldSize, const uint8_t* bytes, uint64_t size, bool equal) {
  std::vector<uint64_t> sizes((size_t)worldSize, size);
  if (!equal) transport.allGather(&size, sizeof size, sizes.data());
  const size_t largest = (size_t)*std::max_element(sizes.begin(), sizes.end());
  Bytes given(largest), all(largest * sizes.size());
  std::copy(bytes, bytes + size, given.begin());
  transport.allGather(given.data(), largest, all.data());
  std::vector<Bytes> gathered;
  for (size_t rank = 0; rank < sizes.size(); rank++) {
    const auto from = all.begin() + (ptrdiff_t)(rank * largest);
    gathered.emplace_back(from, from + (ptrdiff_t)sizes[rank]);
  }
  return gathered;
}

napi_value toJs(napi_env env, const std::vector<Bytes>& gathered) {
  napi_value list;
  check(napi_create_array_with_length(env, gathered.size(), &list));
  for (uint32_t rank = 0; rank < gathered.size(); rank++) {
    const Bytes& bytes = gathered[rank];
    void* data = nullptr;
    napi_value buffer, array;
    check(napi_create_arraybuffer(env, bytes.size(), &data, &buffer));
    if (!bytes.empty()) std::memcpy(data, bytes.data(), bytes.size());
    check(napi_create_typedarray(env, napi_uint8_array, bytes.size(), buffer, 0, &array));
    check(napi_set_element(env, list, rank, array));
  }
  return list;
}

std::vector<std::string> lines(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> list;
  for (std::string line; std::getline(stream, line);) list.push_back(line);
  return list;
}

LocalOptions localOptions(Arguments& a) {
  LocalOptions options;
  options.worldSize = (int)a.size("worldSize");
  options.rank = (int)a.sizeOrZero("rank");
  options.name = a.text("name");
  options.id = a.text("id");
  options.token = a.text("token");
  options.timeoutMilliseconds = a.size("timeout");
  return options;
}

MpiOptions mpiOptions(Arguments& a) {
  MpiOptions options;
  options.worldSize = (int)a.size("worldSize");
  options.rank = (int)a.sizeOrZero("rank");
  options.libraries = lines(a.text("libraries"));
  options.token = a.text("token");
  options.timeoutMilliseconds = a.size("timeout");
  return options;
}

// `meet` joins the others by `place`.
template <class Place, class Meet>
napi_value connectNccl(Arguments& a, const Place& place, const Meet& meet) {
  NcclOptions options;
  options.rank = place.rank;
  options.worldSize = place.worldSize;
  options.timeoutMilliseconds = place.timeoutMilliseconds;
  options.localRank = (int)a.sizeOrZero("localRank");
  options.libraries = lines(a.text("ncclLibraries"));
  options.runtimes = lines(a.text("cudaLibraries"));
  return Group::make(a.env(), place.worldSize, [options, meet](const std::atomic<bool>& interrupted) {
    const auto connect = [&]() -> std::unique_ptr<Transport> { return meet(interrupted); };
    return std::make_unique<Nccl>(options, connect, interrupted);
  });
}

}  // namespace

napi_value connectLocal(Arguments& a) {
  const LocalOptions options = localOptions(a);
  const auto connect = [options](const std::atomic<bool>& interrupted) {
    return vitral::connectLocal(options, interrupted);
  };
  return Group::make(a.env(), options.worldSize, connect);
}

napi_value connectMpi(Arguments& a) {
  const MpiOptions options = mpiOptions(a);
  const auto connect = [options](const std::atomic<bool>& interrupted) {
    return std::make_unique<Mpi>(options, interrupted);
  };
  return Group::make(a.env(), options.worldSize, connect);
}

napi_value connectNcclLocally(Arguments& a) {
  const LocalOptions options = localOptions(a);
  return connectNccl(a, options, [options](const std::atomic<bool>& interrupted) {
    return vitral::connectLocal(options, interrupted);
  });
}

napi_value connectNcclByMpi(Arguments& a) {
  const MpiOptions options = mpiOptions(a);
  return connectNccl(a, options, [options](const std::atomic<bool>& interrupted) {
    return std::make_unique<Mpi>(options, interrupted);
  });
}

napi_value connected(Arguments& a) { return groupOf(a).begin(std::make_unique<Promised>()); }

napi_value allReduce(Arguments& a) {
  Group& group = groupOf(a);
  const int64_t count = a.sizeOrZero("count");
  float* values = a.floats("values", count);
  auto job = std::make_unique<Promised>();
  job->size = (size_t)count * sizeof(float);
  job->work = [=](Transport& transport) { transport.allReduce(values, (size_t)count); };
  return group.begin(std::move(job), a.latest());
}

napi_value broadcast(Arguments& a) {
  Group& group = groupOf(a);
  const int64_t size = a.sizeOrZero("size"), root = a.sizeOrZero("root");
  if (root >= group.worldSize) throwArgumentError("root is " + std::to_string(root) + ", and no rank");
  uint8_t* bytes = a.bytes("bytes", size);
  auto job = std::make_unique<Promised>();
  job->size = (size_t)size;
  job->work = [=](Transport& transport) { transport.broadcast(bytes, (size_t)size, (int)root); };
  return group.begin(std::move(job), a.latest());
}

napi_value allGather(Arguments& a) {
  Group& group = groupOf(a);
  const int64_t size = a.sizeOrZero("size");
  const uint8_t* bytes = a.bytes("bytes", size);
  const napi_value memory = a.latest();
  const bool equal = a.flag("equal");
  auto job = std::make_unique<Promised>();
  if (equal) job->size = (size_t)size;
  const auto all = std::make_shared<std::vector<Bytes>>();
  job->work = [=, worldSize = group.worldSize](Transport& transport) {
    *all = gather(transport, worldSize, bytes, (uint64_t)size, equal);
  };
  job->result = [=](napi_env env) { return toJs(env, *all); };
  return group.begin(std::move(job), memory);
}

napi_value barrier(Arguments& a) {
  auto job = std::make_unique<Promised>();
  job->size = 0;
  job->work = [](Transport& transport) { transport.barrier(); };
  return groupOf(a).begin(std::move(job));
}

napi_value interruptCollectives(Arguments& a) {
  groupOf(a).interrupt();
  return nullptr;
}

napi_value closeCollectives(Arguments& a) {
  Group& group = groupOf(a);
  return group.close(a.text("reason"));
}

napi_value removeLeftSegments(Arguments& a) {
  const std::string prefix = a.text("prefix");
#if defined(__linux__)
  vitral::removeLeftSegments(prefix);
#endif
  return nullptr;
}

napi_value endWithParent(Arguments& a) {
  const bool will = vitral::endWithParent((unsigned)a.size("seconds"));
  napi_value result;
  check(napi_get_boolean(a.env(), will, &result));
  return result;
}

}  // namespace vitral::exported
