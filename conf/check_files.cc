#include <cstdio>
#include <optional>
#include <string.h>
#include <string>
#include <string_view>

#include "conf/checks.h"
#include "conf/file.h"
#include "conf/wording.h"

namespace postern::conf {
namespace {

constexpr std::size_t kLargestPem = std::size_t{1} << 20;
constexpr off_t kShortestSeed = 32;

class FileCheck {
 public:
  explicit FileCheck(Problems& problems) : problems_(problems) {}

  void certificate(const std::string& path, const std::string& file) {
    if (present(path, file)) pem(path, file, "CERTIFICATE-----", "certificate");
  }

  void private_key(const std::string& path, const std::string& file) {
    if (secret(path, file)) pem(path, file, "PRIVATE KEY-----", "private key");
  }

  // The facts of a file that nobody else may read.
  std::optional<FileFacts> secret(const std::string& path, const std::string& file) {
    const std::optional<FileFacts> facts = present(path, file);
    if (!facts || (facts->mode & 0007U) == 0) return facts;
    char mode[16];
    std::snprintf(mode, sizeof mode, "%04o", facts->mode);
    fail(path, file,
         "every user of this machine can get at it (mode " + std::string(mode) + "); use chmod o=");
    return std::nullopt;
  }

  enum class Empty : std::uint8_t { Refused, Allowed };
  std::optional<FileFacts> present(const std::string& path, const std::string& file,
                                   Empty empty = Empty::Refused) {
    if (file.empty() || !problems_.sound(path)) return std::nullopt;
    const std::expected<FileFacts, std::string> facts = inspect_file(file);
    if (!facts) {
      fail(path, file, facts.error());
    } else if (facts->size == 0 && empty == Empty::Refused) {
      fail(path, file, "the file is empty");
    } else {
      return *facts;
    }
    return std::nullopt;
  }

  void fail(const std::string& path, const std::string& file, const std::string& why) {
    problems_.at_value(path, without_indexes(path) + ": " + problems_.shown(path, file) + ": " + why);
  }

 private:
  void pem(const std::string& path, const std::string& file, std::string_view label,
           const std::string& what) {
    std::expected<std::string, std::string> content = read_file(file, kLargestPem);
    if (!content) {
      fail(path, file, content.error());
      return;
    }
    const bool has_label =
        content->find("-----BEGIN ") != std::string::npos && content->find(label) != std::string::npos;
    const bool encrypted = content->find("ENCRYPTED") != std::string::npos;
    ::explicit_bzero(content->data(), content->size());
    if (!has_label) {
      fail(path, file, "no " + what + " in PEM form in it");
    } else if (encrypted) {
      fail(path, file, "it is encrypted; write it without a passphrase");
    }
  }

  Problems& problems_;
};

}  // namespace

void check_files(const Config& config, Problems& problems) {
  FileCheck check(problems);
  for (std::size_t i = 0; i < config.tls.certificates.size(); ++i) {
    const std::string path = element("tls.certificates", i);
    check.certificate(path + ".chain", config.tls.certificates[i].chain);
    check.private_key(path + ".key", config.tls.certificates[i].key);
  }
  const std::string& seed = config.tls.ticket_seed_file;
  const std::optional<FileFacts> facts = check.secret("tls.ticket_seed_file", seed);
  if (facts && facts->size < kShortestSeed) {
    check.fail("tls.ticket_seed_file", seed,
               "it has " + std::to_string(facts->size) + " octets; at least 32 are needed");
  }
  check.certificate("tls.client_ca", config.tls.client_ca);
  check.secret("auth.passwd_file", config.auth.passwd_file);
  if (config.auth.http) check.certificate("auth.http.ca_file", config.auth.http->ca_file);
  if (config.auth.policy) {
    check.certificate("auth.policy.ca_file", config.auth.policy->ca_file);
    check.secret("auth.policy.key_file", config.auth.policy->key_file);
  }
  for (const Map& map : config.maps) {
    const std::string path = join("map", map.name);
    check.present(path + ".file", map.file, FileCheck::Empty::Allowed);
    if (map.redis) check.secret(path + ".redis.password_file", map.redis->password_file);
  }
  for (const Pool& pool : config.pools) {
    const std::string path = join("pool", pool.name);
    check.certificate(path + ".ca_file", pool.ca_file);
    check.secret(path + ".master_password_file", pool.master_password_file);
  }
}

}  // namespace postern::conf
