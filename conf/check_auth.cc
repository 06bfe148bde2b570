#include <algorithm>
#include <string>
#include <string_view>

#include "conf/checks.h"
#include "conf/wording.h"

namespace postern::conf {
namespace {

constexpr std::string_view word_of(AuthBy by) {
  switch (by) {
    case AuthBy::Store:
      return "store";
    case AuthBy::Passwd:
      return "passwd";
    case AuthBy::Http:
      return "http";
    case AuthBy::Dovecot:
      return "dovecot";
  }
  return "";
}

class AuthCheck {
 public:
  AuthCheck(const Config& config, Problems& problems)
      : config_(config), auth_(config.auth), problems_(problems) {}

  void run() {
    separator();
    if (auth_.http) authority_of("auth.http", auth_.http->url, auth_.http->ca_file);
    if (auth_.policy) authority_of("auth.policy", auth_.policy->url, auth_.policy->ca_file);
    if (problems_.sound("auth.by")) by_source();
    certificate();
  }

 private:
  void by_source() {
    source(AuthBy::Passwd, "passwd_file", !auth_.passwd_file.empty());
    source(AuthBy::Http, "http", auth_.http.has_value());
    source(AuthBy::Dovecot, "dovecot", auth_.dovecot.has_value());
    const bool names_hosts = auth_.by == AuthBy::Http || auth_.by == AuthBy::Dovecot;
    if (!names_hosts && !auth_.allowed_hosts.empty() && problems_.sound("auth.allowed_hosts"))
      fail("auth.allowed_hosts", "has no effect with " + by());
    if (problems_.sound("auth.mechanisms")) mechanisms();
  }

  void fail(const std::string& path, const std::string& message) {
    problems_.at_value(path, path + " " + message);
  }

  // `by = "http" (line 3)`
  std::string by() const { return "by = " + quoted(word_of(auth_.by)) + problems_.line_of("auth.by"); }

  void source(AuthBy of, std::string_view key, bool written) {
    const std::string path = "auth." + std::string(key);
    if (!problems_.sound(path) || (auth_.by == of) == written) return;
    if (written) {
      fail(path, "has no effect with " + by());
    } else {
      fail("auth.by", "= " + quoted(word_of(of)) + " needs " +
                          (of == AuthBy::Passwd ? std::string(key) : "[" + path + "]"));
    }
  }

  void authority_of(const std::string& table, const Url& url, const std::string& ca_file) {
    if (url.tls || ca_file.empty() || !problems_.sound(table + ".url") ||
        !problems_.sound(table + ".ca_file"))
      return;
    fail(table + ".ca_file",
         "has no effect with a url that begins with \"http://\"" + problems_.line_of(table + ".url"));
  }

  void separator() {
    const std::string& separator = auth_.master_separator;
    if (separator.empty() || !problems_.sound("auth.master_separator")) return;
    const bool good =
        separator.size() == 1 &&
        std::string_view("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~").find(separator) != std::string_view::npos;
    if (!good)
      fail("auth.master_separator", "must be one punctuation character, such as \"*\", not " +
                                        problems_.shown("auth.master_separator", separator));
  }

  bool offers(Mechanism mechanism) const {
    return std::find(auth_.mechanisms.begin(), auth_.mechanisms.end(), mechanism) != auth_.mechanisms.end();
  }

  // What looks at a client's certificate.
  void certificate() {
    if (auth_.certificate_name != CertificateName::Email && !offers(Mechanism::External) &&
        problems_.sound("auth.certificate_name") && problems_.sound("auth.mechanisms")) {
      fail("auth.certificate_name",
           "has no effect without \"external\" in mechanisms" + problems_.line_of("auth.mechanisms"));
    }
    if (!config_.tls.client_ca.empty() || !problems_.sound("tls.client_ca")) return;
    if (auth_.http && auth_.http->pass_certificate && problems_.sound("auth.http.pass_certificate"))
      fail("auth.http.pass_certificate",
           "has no effect without client_ca in [tls], since clients are not asked for a certificate");
    if (offers(Mechanism::External))
      refuse("external", "needs client_ca in [tls], or no client is asked for a certificate");
  }

  void mechanisms() {
    if (auth_.mechanisms.empty() && auth_.relayed.empty() && !auth_.relay_all)
      return fail("auth.mechanisms", "must not be empty, or nobody could log in");
    if (auth_.by == AuthBy::Store) {
      if (offers(Mechanism::External))
        refuse("external", "cannot work with " + by() +
                               ": a store that did not see the certificate has no reason to believe it");
    } else if (auth_.by == AuthBy::Passwd) {
      passwd();
    }
    if (auth_.by == AuthBy::Dovecot) return;
    for (const std::string& name : auth_.relayed) refuse_relayed(lower(name));
    if (auth_.relay_all) refuse_relayed("all");
  }

  void passwd() {
    const struct {
      Mechanism mechanism;
      std::string_view word;
    } tokens[] = {{Mechanism::XOAuth2, "xoauth2"}, {Mechanism::OAuthBearer, "oauthbearer"}};
    for (const auto& [mechanism, word] : tokens) {
      if (offers(mechanism)) refuse(word, "cannot work with " + by() + ": a password file knows no tokens");
    }
    if (!offers(Mechanism::External)) return;
    for (const Pool& pool : config_.pools) {
      const std::string login = join("pool", pool.name) + ".login";
      if (pool.login == LoginAs::Master || !problems_.sound(login)) continue;
      refuse("external", "with " + by() +
                             " needs pools with login = \"master\": the client gives no password "
                             "that could be shown to the stores of [" +
                             join("pool", pool.name) + "]" + problems_.line_of(login));
      return;
    }
  }

  void refuse_relayed(std::string_view word) {
    refuse(word, "is relayed to Dovecot, and needs by = \"dovecot\" instead of " + by());
  }

  // Once for each word.
  void refuse(std::string_view word, const std::string& why) {
    const std::string path = join("auth.mechanisms", word);
    if (!problems_.sound(path)) return;
    problems_.at_value(path, "auth.mechanisms: " + quoted(word) + " " + why);
  }

  static std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](char octet) {
      return octet >= 'A' && octet <= 'Z' ? static_cast<char>(octet - 'A' + 'a') : octet;
    });
    return text;
  }

  const Config& config_;
  const Auth& auth_;
  Problems& problems_;
};

}  // namespace

void check_auth(const Config& config, Problems& problems) { AuthCheck(config, problems).run(); }

}  // namespace postern::conf
