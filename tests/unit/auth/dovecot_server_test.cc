#include <doctest/doctest.h>
#include <filesystem>
#include <openssl/hmac.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proxy/tls/peer_certificate.h"
#include "tests/temporary_directory.h"
#include "tests/unit/auth/dovecot_world.h"

// With Dovecot's own authentication service: what a fake cannot know.

namespace postern::auth {

namespace {

constexpr const char* kBinary = "/usr/sbin/dovecot";

constexpr const char* kConfiguration = R"(
protocols =
ssl = no
listen = 127.0.0.1
auth_mechanisms = plain login cram-md5 scram-sha-256 external
auth_failure_delay = 0
auth_ssl_username_from_cert = yes
passdb {
  driver = passwd-file
  mechanisms = plain login cram-md5 scram-sha-256
  args = FOLDER/users
}
passdb {
  driver = static
  mechanisms = external
  args = nopassword=y pool=by-certificate
}
userdb {
  driver = static
  args = uid=65534 gid=65534 home=/nonexistent
}
service auth {
  unix_listener auth-client {
    mode = 0600
  }
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
base_dir = FOLDER/run
state_dir = FOLDER/state
log_path = FOLDER/log
)";

class Server {
 public:
  Server() {
    ::chmod(folder_.path().c_str(), 0755);
    std::string configuration = kConfiguration;
    for (std::size_t at = 0; (at = configuration.find("FOLDER")) != std::string::npos;) {
      configuration.replace(at, 6, folder_.path());
    }
    folder_.write("dovecot.conf", configuration);
    folder_.write("users",
                  "bob:{PLAIN}secret::::::pool=blue backend=b1\n"
                  "eve:{PLAIN}secret::::::nologin=y reason=Closed\n");
    start();
  }
  ~Server() { stop(); }

  void start() {
    std::string arguments[] = {kBinary, "-F", "-c", folder_ / "dovecot.conf"};
    char* pointers[] = {arguments[0].data(), arguments[1].data(), arguments[2].data(), arguments[3].data(),
                        nullptr};
    REQUIRE(::posix_spawn(&process_, kBinary, nullptr, nullptr, pointers, environ) == 0);
  }
  void stop() {
    if (process_ <= 0) return;
    ::kill(process_, SIGTERM);
    ::waitpid(process_, nullptr, 0);
    process_ = -1;
  }
  std::string path() const { return folder_ / "run/auth-client"; }
  std::string log() const { return content_of(folder_ / "log"); }

 private:
  TemporaryDirectory folder_;
  pid_t process_ = -1;
};

bool cannot_run() {
  if (std::filesystem::exists(kBinary) && ::geteuid() == 0) return false;
  MESSAGE("skipped: Dovecot is not installed, or this is not root");
  return true;
}

struct Stage {
  explicit Stage(Duration its_renewal = std::chrono::minutes(1)) : renewal(its_renewal) {}

  Duration renewal;
  Server server;
  DovecotWorld world{conf::DovecotSource{server.path(), "", 0, std::chrono::seconds(10), 100}, renewal};

  void connect() {
    world.until([this] { return world.source.connected(); });
  }
  Answer answer(std::uint32_t slot) {
    if (!world.answered(slot)) world.until([this, slot] { return world.answered(slot); });
    return world.take(slot);
  }
};

std::string cram_md5(const std::string& user, std::string_view password, const std::string& challenge) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_md5(), password.data(), password.size(), reinterpret_cast<const unsigned char*>(challenge.data()),
       challenge.size(), digest, &size);
  std::string answer = user + " ";
  for (unsigned i = 0; i < size; ++i) {
    answer += "0123456789abcdef"[digest[i] >> 4];
    answer += "0123456789abcdef"[digest[i] & 15];
  }
  return answer;
}

}  // namespace

TEST_CASE("Dovecot itself lets in whom it should, and nobody else") {
  if (cannot_run()) return;
  Stage stage;
  stage.connect();
  CHECK(stage.world.source.mechanisms() == std::vector<std::string>{"CRAM-MD5", "SCRAM-SHA-256"});

  CHECK(stage.world.ask_plain(1));
  CHECK(stage.world.ask_plain(2, "bob", "wrong"));
  CHECK(stage.world.ask_plain(3, "nobody", "secret"));
  CHECK(stage.world.ask_plain(4, "eve", "secret"));
  const Answer bob = stage.answer(1);
  CHECK(bob.kind == Answer::Kind::Accepted);
  CHECK(bob.destination.user == "bob");
  CHECK(bob.destination.pool == "blue");
  CHECK(bob.destination.backend == "b1");
  CHECK(stage.answer(2).refusal.fault == Fault::BadCredentials);
  CHECK(stage.answer(3).refusal.fault == Fault::BadCredentials);
  CHECK(stage.answer(4).refusal == Refusal{Fault::AccountDisabled, "", "Closed"});

  for (const std::string_view password : {"secret", "wrong"}) {
    CHECK(stage.world.ask_relayed(5, "CRAM-MD5"));
    const Answer challenge = stage.answer(5);
    REQUIRE(challenge.kind == Answer::Kind::Challenge);
    stage.world.source.respond({5, 1}, Secret(cram_md5("bob", password, challenge.challenge)));
    const Answer answer = stage.answer(5);
    CHECK((answer.kind == Answer::Kind::Accepted) == (password == "secret"));
    if (password == "secret") CHECK(answer.destination.user == "bob");
  }
}

TEST_CASE("Dovecot believes the certificate that we have verified") {
  if (cannot_run()) return;
  Stage stage;
  stage.connect();
  tls::PeerCertificate certificate;
  Credentials credentials;
  credentials.mechanism = Mechanism::External;
  credentials.user = "carol";
  CHECK(stage.world.ask(1, credentials, &certificate));
  const Answer carol = stage.answer(1);
  CHECK(carol.kind == Answer::Kind::Accepted);
  CHECK(carol.destination.user == "carol");
  CHECK(carol.destination.pool == "by-certificate");
  CHECK(stage.world.ask(2, credentials));
  CHECK(stage.answer(2).kind == Answer::Kind::Refused);
}

TEST_CASE("what would make Dovecot close the connection never reaches it") {
  if (cannot_run()) return;
  Stage stage;
  stage.connect();
  CHECK(stage.world.ask_relayed(1, "NONE"));
  CHECK(stage.world.ask_relayed(2, "GSSAPI\nAUTH"));
  CHECK(stage.world.ask_plain(3, "bob", std::string(20000, 'x')));
  std::string every_octet;
  for (int octet = 1; octet < 256; ++octet) every_octet += static_cast<char>(octet);
  CHECK(stage.world.ask_plain(4, every_octet, every_octet));
  // The longest that fits: 4/3 for base64, and room for the other fields.
  CHECK(stage.world.ask_plain(5, "bob", std::string(12000, 'x')));
  CHECK(stage.world.ask_relayed(6, "CRAM-MD5"));
  CHECK(stage.answer(6).kind == Answer::Kind::Challenge);
  stage.world.source.respond({6, 1}, Secret(every_octet));
  CHECK(stage.world.ask_relayed(7, "SCRAM-SHA-256"));
  stage.world.source.cancel({7, 1});
  for (std::uint32_t slot = 1; slot <= 6; ++slot) CHECK(stage.answer(slot).kind == Answer::Kind::Refused);
  CHECK(stage.world.ask_plain(8));
  CHECK(stage.answer(8).kind == Answer::Kind::Accepted);
  CHECK_FALSE(stage.server.log().contains("BUG"));
}

TEST_CASE("Dovecot goes and comes back, though its old process would go on with us for ever") {
  if (cannot_run()) return;
  Stage stage(Duration(300));
  stage.connect();
  CHECK(stage.world.ask_plain(1));
  CHECK(stage.answer(1).kind == Answer::Kind::Accepted);
  stage.server.stop();
  stage.world.until([&stage] { return !stage.world.source.connected(); });
  CHECK(stage.world.ask_plain(2));
  CHECK(stage.answer(2).refusal.fault == Fault::AuthUnavailable);
  stage.server.start();
  stage.connect();
  CHECK(stage.world.ask_plain(3));
  CHECK(stage.answer(3).kind == Answer::Kind::Accepted);
}

}  // namespace postern::auth
