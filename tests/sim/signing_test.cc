#include <doctest/doctest.h>

#include "proxy/tls/context.h"
#include "tests/sim/scene.h"
#include "tests/unit/tls/authority.h"

namespace postern::sim {

namespace {

// Listens with TLS and an RSA certificate.
std::string secured(std::string_view listen_tls) {
  static const tls::CertificateFiles files = tls::authority().issue({.key = tls::Key::Rsa2048});
  return "[listen.front]\nprotocol = \"imap\"\naddress = [\"127.0.0.1:993\"]\ntls = \"" +
         std::string(listen_tls) + "\"\n[tls]\ncertificates = [{ chain = \"" + files.chain + "\", key = \"" +
         files.key + "\" }]\n[[route]]\npool = \"store\"\n[admin]\nhttp = \"\"\n" +
         "[limits]\nlogin_time = \"10s\"\n" + std::string(kTwoStores);
}

// The client's TLS over the simulated wire.
class Client {
 public:
  explicit Client(World& world) : world_(world), stream_(connect()) {}

  // Its first flight, and what the session does with it.
  void begin() {
    shake();
    world_.settle();
  }

  // Until neither has anything to say; the plaintext that came.
  std::string hear() {
    std::string heard;
    for (world_.settle(); !world_.client.received.empty(); world_.settle()) {
      if (status_ == tls::Status::NeedInput) {
        shake();
        if (status_ == tls::Status::Done) heard += decrypt({});
      } else {
        heard += decrypt(take(world_.client));
      }
    }
    return heard;
  }

  void say(std::string_view words) {
    std::string output;
    REQUIRE(stream_.encrypt(words, output) == tls::Status::Done);
    world_.client.send(output);
  }

 private:
  static tls::Stream connect() {
    // Of a context of its own, since a session that resumes needs no signature.
    const auto context = tls::ClientContext::create({.ca_file = tls::authority().root_file()});
    REQUIRE(context.has_value());
    return (*context)->connect("mail.example.org", "");
  }

  void shake() {
    std::string output;
    status_ = stream_.handshake(take(world_.client), output);
    REQUIRE(status_ != tls::Status::Failed);
    world_.client.send(output);
  }

  std::string decrypt(std::string_view input) {
    std::string plain(input.size() + tls::kDecryptSlack, '\0');
    std::string output;
    std::size_t size = 0;
    REQUIRE(stream_.decrypt(input, plain, size, output) == tls::Status::Done);
    plain.resize(size);
    return plain;
  }

  World& world_;
  tls::Stream stream_;
  tls::Status status_ = tls::Status::NeedInput;
};

// A session that waits for its signature.
struct Signing {
  Signing() {
    world.threads_work = false;
    world.connect();
    client.begin();
    REQUIRE(world.offloaded.size() == 1);
    REQUIRE(world.client.received.empty());
  }

  // Ends as the log says, and holds nothing.
  void check_end(std::string_view end, std::string_view fault) {
    REQUIRE(world.over());
    CHECK(world.client.session_closed);
    CHECK(world.counted().of(Protocol::Imap).prelogin.value() == 0);
    CHECK(world.limits().size().addresses == 0);
    const std::string line = world.log_line();
    CAPTURE(line);
    CHECK(line.find(end) != std::string::npos);
    CHECK(line.find(fault) != std::string::npos);
  }

  World world{secured("implicit")};
  Client client{world};
};

}  // namespace

TEST_CASE("a login over an RSA certificate, with the signature by another thread") {
  for (const std::string_view listen_tls : {"implicit", "starttls"}) {
    CAPTURE(listen_tls);
    World world(secured(listen_tls));
    world.connect();
    if (listen_tls == "starttls") {
      world.settle();
      world.client.send("s STARTTLS\r\n");
      world.settle();
      REQUIRE(take(world.client).find("s OK") != std::string::npos);
    }
    Client client(world);
    client.begin();
    std::string heard = client.hear();
    if (listen_tls == "implicit") CHECK(heard.starts_with("* OK "));
    client.say(kLogin);
    world.settle();
    REQUIRE(world.stores.size() == 1);
    world.stores[0]->send(kGreeting);
    world.settle();
    world.stores[0]->send(kStoreOk);
    CHECK(client.hear().starts_with("a OK "));
  }
}

TEST_CASE("nothing is read while a signature is made, and nothing is lost") {
  Signing signing;
  // TLS 1.3 passes over this record (RFC 8446 §5).
  const std::string ignored("\x14\x03\x03\x00\x01\x01", 6);
  signing.world.client.send(ignored);
  signing.world.settle();
  CHECK(signing.world.client.to_session == ignored);
  CHECK(signing.world.offloaded.size() == 1);
  signing.world.do_offloaded();
  CHECK(signing.client.hear().starts_with("* OK "));
  CHECK(signing.world.client.to_session.empty());
  CHECK(signing.world.offloaded.empty());
}

TEST_CASE("a client that vanishes while its signature is made leaves nothing behind") {
  for (const bool reset : {true, false}) {
    CAPTURE(reset);
    Signing signing;
    if (reset) {
      signing.world.client.reset();
    } else {
      signing.world.client.finish();
    }
    signing.world.settle();
    signing.world.do_offloaded();
    signing.world.settle();
    signing.check_end("end=CT", "fault=client_closed");
  }
}

TEST_CASE("the deadline holds while a signature is made, and what comes later is thrown away") {
  Signing signing;
  signing.world.pass(std::chrono::milliseconds(9900));
  CHECK_FALSE(signing.world.over());
  signing.world.pass(std::chrono::milliseconds(300));
  signing.check_end("end=cT", "fault=login_timeout");
  signing.world.do_offloaded();
}

TEST_CASE("a session can be dismissed while its signature is made") {
  Signing signing;
  signing.world.dismiss(Fault::ShuttingDown);
  signing.world.settle();
  signing.check_end("end=KT", "fault=shutting_down");
  signing.world.do_offloaded();
}

TEST_CASE("a signature for a session that has left reaches no other") {
  Signing signing;
  auto late = std::move(signing.world.offloaded.front());
  signing.world.offloaded.clear();
  signing.world.client.reset();
  signing.world.dismiss(Fault::ShuttingDown);
  signing.world.settle();
  REQUIRE(signing.world.over());

  signing.world.client = Peer();
  signing.world.connect();
  Client next(signing.world);
  next.begin();
  REQUIRE(signing.world.offloaded.size() == 1);
  signing.world.offloaded.push_front(std::move(late));
  signing.world.do_offloaded();
  CHECK(signing.world.client.received.empty());
  signing.world.do_offloaded();
  CHECK(next.hear().starts_with("* OK "));
}

}  // namespace postern::sim
