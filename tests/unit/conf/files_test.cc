#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/temporary_directory.h"
#include "tests/unit/conf/base.h"

namespace postern::conf {
namespace {

constexpr std::string_view kCertificate = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
constexpr std::string_view kKey = "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n";

// With a certificate and its key; "DIR" in a text stands for it.
class Directory {
 public:
  Directory() {
    write("a.crt", kCertificate);
    write("a.key", kKey, 0600);
  }

  void write(const std::string& name, std::string_view content, mode_t mode = 0644) const {
    REQUIRE(::chmod(directory_.write(name, content).c_str(), mode) == 0);
  }

  std::string problems(std::string text) const {
    replace(text, "DIR", directory_.path());
    Environment environment = bare_environment();
    environment.read_files = true;
    std::string found = problems_of(text, environment);
    replace(found, directory_.path(), "DIR");
    return found;
  }

  std::string operator/(std::string_view name) const { return directory_ / name; }

 private:
  static void replace(std::string& text, const std::string& from, const std::string& to) {
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
      text.replace(at, from.size(), to);
    }
  }

  TemporaryDirectory directory_;
};

const std::string kGoodTls = "[tls]\ncertificates = [{ chain = \"DIR/a.crt\", key = \"DIR/a.key\" }]\n";

std::string tls_with(const std::string& key) {
  return "[[tls.certificates]]\nchain = \"DIR/a.crt\"\nkey = \"DIR/" + key + "\"\n";
}
std::string tls_with_chain(const std::string& chain) {
  return "[[tls.certificates]]\nchain = \"DIR/" + chain + "\"\nkey = \"DIR/a.key\"\n";
}

// What is said of `key = "DIR/file"`, with the caret behind `indent` spaces.
std::string at_file(const std::string& place, const std::string& file, const std::string& why,
                    const std::string& key, std::size_t indent) {
  std::string text = place + "\"DIR/" + file + "\": " + why + "\n";
  text += "    " + key + " = \"DIR/" + file + "\"\n";
  return text + std::string(indent, ' ') + "^\n";
}

TEST_CASE("files that are there and look right are no problem") {
  const Directory directory;
  directory.write("seed", std::string(32, 'x'), 0600);
  directory.write("passwd", "user:{PLAIN}x\n", 0640);
  directory.write("master", "secret\n", 0400);
  CHECK(directory.problems(
            kGoodTls +
            "ticket_seed_file = \"DIR/seed\"\n"
            "[auth]\nby = \"passwd\"\npasswd_file = \"DIR/passwd\"\n"
            "[pool.store]\ntls = \"implicit\"\nca_file = \"DIR/a.crt\"\nlogin = \"master\"\n"
            "master_user = \"m\"\nmaster_password_file = \"DIR/master\"\nbackends = { a = \"a\" }\n") == "");
}

TEST_CASE("other forms of a private key are private keys") {
  const Directory directory;
  directory.write(
      "ec.key",
      "-----BEGIN EC PARAMETERS-----\nAA==\n-----END EC PARAMETERS-----\n-----BEGIN EC PRIVATE KEY-----\n",
      0600);
  directory.write("rsa.key", "-----BEGIN RSA PRIVATE KEY-----\n", 0600);
  CHECK(directory.problems(tls_with("ec.key")) == "");
  CHECK(directory.problems(tls_with("rsa.key")) == "");
}

TEST_CASE("a key file says what is wrong with it") {
  const Directory directory;
  directory.write("empty.key", "", 0600);
  directory.write("text.key", "hello\n", 0600);
  directory.write("open.key", kKey, 0644);
  directory.write("written.key", kKey, 0602);
  directory.write("locked.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n", 0600);
  directory.write("old.key", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n", 0600);
  directory.write("large.key", std::string(1024 * 1024 + 1, 'x'), 0600);
  const struct {
    const char* file;
    const char* says;
  } kCases[] = {
      {"none.key", "No such file or directory"},
      {"empty.key", "the file is empty"},
      {"text.key", "no private key in PEM form in it"},
      {"a.crt", "every user of this machine can get at it (mode 0644); use chmod o="},
      {"open.key", "every user of this machine can get at it (mode 0644); use chmod o="},
      {"written.key", "every user of this machine can get at it (mode 0602); use chmod o="},
      {"locked.key", "it is encrypted; write it without a passphrase"},
      {"old.key", "it is encrypted; write it without a passphrase"},
      {"large.key", "it is larger than 1048576 octets"},
      {".", "not a regular file"},
  };
  for (const auto& one : kCases) {
    const std::string file = one.file;
    CAPTURE(file);
    CHECK(directory.problems(tls_with(file)) ==
          at_file("postern.toml:3:7: tls.certificates.key: ", file, one.says, "key", 10));
  }
}

TEST_CASE("a certificate file says what is wrong with it") {
  const Directory directory;
  directory.write("empty.crt", "");
  directory.write("text.crt", "hello\n");
  const struct {
    const char* file;
    const char* says;
  } kCases[] = {
      {"none.crt", "No such file or directory"},
      {"empty.crt", "the file is empty"},
      {"text.crt", "no certificate in PEM form in it"},
      {"a.key", "no certificate in PEM form in it"},
      {"a.crt/x", "Not a directory"},
  };
  for (const auto& one : kCases) {
    const std::string file = one.file;
    CAPTURE(file);
    CHECK(directory.problems(tls_with_chain(file)) ==
          at_file("postern.toml:2:9: tls.certificates.chain: ", file, one.says, "chain", 12));
  }
}

TEST_CASE("a pipe is no file, and asking it does not wait for a writer") {
  const Directory directory;
  REQUIRE(::mkfifo((directory / "pipe").c_str(), 0600) == 0);
  CHECK(directory.problems(tls_with("pipe")).find("not a regular file") != std::string::npos);
}

TEST_CASE("a ticket seed has at least 32 octets and is nobody else's") {
  const Directory directory;
  directory.write("short", std::string(31, 'x'), 0600);
  directory.write("open", std::string(32, 'x'), 0604);
  CHECK(directory.problems(kGoodTls + "ticket_seed_file = \"DIR/short\"\n") ==
        "postern.toml:3:20: tls.ticket_seed_file: \"DIR/short\": it has 31 octets; at least 32 are needed\n"
        "    ticket_seed_file = \"DIR/short\"\n                       ^\n");
  CHECK(directory.problems(kGoodTls + "ticket_seed_file = \"DIR/open\"\n") ==
        "postern.toml:3:20: tls.ticket_seed_file: \"DIR/open\": every user of this machine can get at it "
        "(mode 0604); use chmod o=\n    ticket_seed_file = \"DIR/open\"\n                       ^\n");
}

TEST_CASE("password files are there and nobody else's") {
  const Directory directory;
  directory.write("open", "x\n", 0644);
  CHECK(directory.problems(kGoodTls + "[auth]\nby = \"passwd\"\npasswd_file = \"DIR/none\"\n") ==
        "postern.toml:5:15: auth.passwd_file: \"DIR/none\": No such file or directory\n"
        "    passwd_file = \"DIR/none\"\n                  ^\n");
  CHECK(directory.problems(kGoodTls + "[auth]\nby = \"passwd\"\npasswd_file = \"DIR/open\"\n") ==
        "postern.toml:5:15: auth.passwd_file: \"DIR/open\": every user of this machine can get at it "
        "(mode 0644); use chmod o=\n    passwd_file = \"DIR/open\"\n                  ^\n");
}

TEST_CASE("the files of a pool are looked at") {
  const Directory directory;
  directory.write("passwd", "a:b\n", 0600);
  directory.write("open", "x\n", 0644);
  CHECK(directory.problems(
            kGoodTls + "[auth]\nby = \"passwd\"\npasswd_file = \"DIR/passwd\"\n[pool.store]\n"
                       "tls = \"starttls\"\nca_file = \"DIR/none\"\nlogin = \"master\"\nmaster_user = \"m\"\n"
                       "master_password_file = \"DIR/open\"\nbackends = { a = \"a\" }\n") ==
        "postern.toml:8:11: pool.store.ca_file: \"DIR/none\": No such file or directory\n"
        "    ca_file = \"DIR/none\"\n              ^\n"
        "postern.toml:11:24: pool.store.master_password_file: \"DIR/open\": every user of this machine can "
        "get at it (mode 0644); use chmod o=\n    master_password_file = \"DIR/open\"\n                      "
        "     ^\n");
}

TEST_CASE("the files of services and maps are looked at") {
  const Directory directory;
  directory.write("open", "x\n", 0644);
  directory.write("secret", "x\n", 0600);
  directory.write("empty", "");
  const auto with = [&directory](const std::string& text) { return directory.problems(kGoodTls + text); };
  const std::string http = "[auth]\nby = \"http\"\nhttp = { url = \"https://a/\", ca_file = \"DIR/";
  const std::string policy = "[auth]\npolicy = { url = \"https://a/\", nonce = \"n\", ";
  const std::string redis = "[map.m.redis]\naddress = \"/a\"\npassword_file = \"DIR/";
  const auto says = [&with](const std::string& text, const std::string& what) {
    CAPTURE(text);
    const std::string found = with(text);
    CAPTURE(found);
    CHECK(found.find(what) != std::string::npos);
  };
  CHECK(with("client_ca = \"DIR/a.crt\"\n") == "");
  CHECK(with(http + "a.crt\" }\n") == "");
  CHECK(with(policy + "ca_file = \"DIR/a.crt\", key_file = \"DIR/secret\" }\n") == "");
  CHECK(with("[map.m]\nfile = \"DIR/open\"\n") == "");
  CHECK(with("[map.m]\nfile = \"DIR/empty\"\n") == "");
  CHECK(with(redis + "secret\"\n") == "");
  CHECK(with("client_ca = \"DIR/open\"\n") ==
        "postern.toml:3:13: tls.client_ca: \"DIR/open\": no certificate in PEM form in it\n"
        "    client_ca = \"DIR/open\"\n                ^\n");
  says("client_ca = \"DIR/none\"\n", ":3:13: tls.client_ca: \"DIR/none\": No such file or directory");
  says(http + "open\" }\n", ":5:40: auth.http.ca_file: \"DIR/open\": no certificate");
  says(policy + "ca_file = \"DIR/none\" }\n", ":4:55: auth.policy.ca_file: \"DIR/none\": No such file");
  says(policy + "key_file = \"DIR/open\" }\n", ":4:56: auth.policy.key_file: \"DIR/open\": every user");
  says(redis + "open\"\n", ":5:17: map.m.redis.password_file: \"DIR/open\": every user");
}

TEST_CASE("the user to switch to exists") {
  const Directory directory;
  CHECK(directory.problems(kGoodTls + "[server]\nuser = \"root\"\n") == "");
  CHECK(directory.problems(kGoodTls + "[server]\nuser = \"no such user\"\n") ==
        "postern.toml:4:8: server.user: this machine has no user \"no such user\"\n"
        "    user = \"no such user\"\n           ^\n");
}

TEST_CASE("a configuration file is read, or the system says why not") {
  const Directory directory;
  const auto says = [&directory](const std::string& name) {
    const std::string path = directory / name;
    const auto loaded = load_file(path, bare_environment());
    return loaded ? std::string("good") : to_string(loaded.error()).substr(path.size());
  };
  directory.write("good.toml", completed(""));
  directory.write("bad.toml", completed("[sever]\n"));
  directory.write("large.toml", std::string(1024 * 1024 + 1, '#'));
  CHECK(says("good.toml") == "good");
  CHECK(says("bad.toml") ==
        ":1:2: unknown table \"sever\"; did you mean \"server\"?\n    [sever]\n     "
        "^\n");
  CHECK(says("none.toml") == ": cannot be read: No such file or directory\n");
  CHECK(says("large.toml") == ": cannot be read: it is larger than 1048576 octets\n");
  CHECK(says(".") == ": cannot be read: Is a directory\n");
}

}  // namespace
}  // namespace postern::conf
