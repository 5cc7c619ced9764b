#if defined(__linux__)
#include "segment-file.h"

#include <dirent.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "segment.h"

namespace vitral {

struct flock lockOf(int rank) {
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = rank < 0 ? 0 : rank;
  lock.l_len = rank < 0 ? 0 : 1;
  return lock;
}

bool isCurrent(int file, const std::string& path) {
  struct stat opened = {}, named = {};
  return !fstat(file, &opened) && !stat(path.c_str(), &named) && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

bool anyoneThere(int file) {
  struct flock lock = lockOf();
  return fcntl(file, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

// One that is just being made or joined has its lock held, and one that was opened but not locked yet is opened again.
void removeLeftSegments(const std::string& prefix) {
  const std::string folder = "/dev/shm/";
  DIR* opened = opendir(folder.c_str());
  if (!opened) return;
  while (const dirent* entry = readdir(opened)) {
    const std::string name = entry->d_name, path = folder + name;
    if (name.compare(0, prefix.size(), prefix) != 0) continue;
    const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0) continue;
    if (!flock(file, LOCK_EX | LOCK_NB) && isCurrent(file, path) && !anyoneThere(file)) unlink(path.c_str());
    close(file);
  }
  closedir(opened);
}

}  // namespace vitral
#endif
