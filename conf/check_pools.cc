#include <string>
#include <string_view>

#include "conf/checks.h"
#include "conf/wording.h"

namespace postern::conf {
namespace {

// One pool with the names of its keys.
class PoolCheck {
 public:
  PoolCheck(const Config& config, const Pool& pool, Problems& problems)
      : config_(config), pool_(pool), problems_(problems), table_(join("pool", pool.name)) {}

  void run() {
    backends();
    forward();
    login();
    tls();
    health();
  }

 private:
  std::string path(std::string_view key) const { return table_ + "." + std::string(key); }
  bool sound(std::string_view key) const { return problems_.sound(path(key)); }
  std::string line_of(std::string_view key) const { return problems_.line_of(path(key)); }
  void fail(std::string_view key, const std::string& message) {
    problems_.at_value(path(key), path(key) + " " + message);
  }

  void backends() {
    if (!pool_.backends.empty() || !sound("backends")) return;
    problems_.at_key(path("backends"),
                     table_ + " has no backend; write NAME = \"ADDRESS\" in [" + path("backends") + "]");
  }

  void forward() {
    if (!sound("forward") || !pool_.forward.proxy_v1 || !pool_.forward.proxy_v2) return;
    fail("forward",
         "must not have both \"proxy_v1\" and \"proxy_v2\": a connection begins with one PROXY header");
  }

  void login() {
    const AuthBy by = config_.auth.by;
    if ((by == AuthBy::Passwd || by == AuthBy::Http) && pool_.authorization && sound("authorization") &&
        problems_.sound("auth.by")) {
      fail("authorization",
           "has no effect with [auth] by = " + quoted(by == AuthBy::Http ? "http" : "passwd") +
               problems_.line_of("auth.by") + ", where nobody may act as another");
    }
    if (!sound("login")) return;
    if (pool_.login == LoginAs::User) {
      without_effect("master_user", pool_.master_user, "login", "login = \"user\"");
      without_effect("master_password_file", pool_.master_password_file, "login", "login = \"user\"");
      return;
    }
    if (config_.auth.by == AuthBy::Store && problems_.sound("auth.by")) {
      fail("login", "= \"master\" needs [auth] by other than \"store\"" + problems_.line_of("auth.by") +
                        ", or nobody would check the password");
    }
    if (pool_.authorization && sound("authorization"))
      fail("authorization", "has no effect with login = \"master\"" + line_of("login"));
    needed("master_user", pool_.master_user);
    needed("master_password_file", pool_.master_password_file);
  }

  void needed(std::string_view key, const std::string& value) {
    if (!value.empty() || !sound(key)) return;
    fail(key, "is needed with login = \"master\"" + line_of("login"));
  }

  void without_effect(std::string_view key, const std::string& value, std::string_view other,
                      const std::string& why) {
    if (value.empty() || !sound(key)) return;
    fail(key, "has no effect with " + why + line_of(other));
  }

  void tls() {
    if (!sound("tls")) return;
    if (pool_.tls == StoreTls::None) {
      without_effect("ca_file", pool_.ca_file, "tls", "tls = \"none\"");
      if (!pool_.verify && sound("verify"))
        fail("verify", "has no effect with tls = \"none\"" + line_of("tls"));
    } else if (!pool_.verify && sound("verify")) {
      without_effect("ca_file", pool_.ca_file, "verify", "verify = false");
    }
  }

  void health() {
    const Health& health = pool_.health;
    const bool tls_check = health.check == HealthCheck::Tls && sound("health.check") && sound("tls");
    if (tls_check && pool_.tls == StoreTls::None) {
      fail("health.check", "= \"tls\" cannot be done with tls = \"none\"" + line_of("tls"));
    }
    check_order(path("health.eject.base"), health.eject.base, path("health.eject.max"), health.eject.max,
                problems_);
  }

  const Config& config_;
  const Pool& pool_;
  Problems& problems_;
  const std::string table_;
};

}  // namespace

void check_pools(const Config& config, Problems& problems) {
  if (config.pools.empty() && problems.sound("pool")) {
    problems.at_value("pool", "there is no pool; write [pool.NAME.backends] with NAME = \"ADDRESS\"");
  }
  for (const Pool& pool : config.pools) PoolCheck(config, pool, problems).run();
}

}  // namespace postern::conf
