#include "proxy/process.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "proxy/tls/version.h"

namespace postern {

void keep_standard_streams() {
  int descriptor = 0;
  do {
    descriptor = ::open("/dev/null", O_RDWR);
  } while (descriptor >= 0 && descriptor <= STDERR_FILENO);
  if (descriptor > STDERR_FILENO) ::close(descriptor);
}

std::expected<void, std::string> raise_descriptor_limit(unsigned sessions) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return std::unexpected("cannot raise the limit of open files for " + std::to_string(sessions) +
                           " sessions: " + std::strerror(errno));
  }
  return {};
}

std::expected<void, std::string> become(const std::string& user) {
  const passwd* entry = getpwnam(user.c_str());
  if (entry == nullptr) return std::unexpected("there is no user " + user);
  if (entry->pw_uid == getuid() && entry->pw_uid == geteuid()) return {};
  if (initgroups(user.c_str(), entry->pw_gid) != 0 || setgid(entry->pw_gid) != 0 ||
      setuid(entry->pw_uid) != 0) {
    return std::unexpected("cannot become user " + user + ": " + std::strerror(errno));
  }
  if (entry->pw_uid != 0 && setuid(0) == 0) return std::unexpected("could not give up root");
  return {};
}

void forbid_core_dumps() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

std::string tls_library_version() { return tls::library_version(); }

std::string compiler_version() {
#if defined(__clang__)
  return "clang " __clang_version__;
#else
  return "gcc " __VERSION__;
#endif
}

}  // namespace postern
