#include <algorithm>
#include <climits>
#include <cstdlib>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

#include "conf/loader.h"

namespace postern::conf {

Environment Environment::real() {
  Environment environment;
  environment.variable = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
  char host_name[HOST_NAME_MAX + 1] = {};
  if (::gethostname(host_name, HOST_NAME_MAX) == 0) environment.host_name = host_name;
  rlimit limit{};
  const bool limited = ::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max != RLIM_INFINITY;
  environment.descriptor_limit = limited ? limit.rlim_max : 0;
  environment.processors = std::max(1U, std::thread::hardware_concurrency());
  return environment;
}

}  // namespace postern::conf
