#include <doctest/doctest.h>

#include "authority.h"
#include "proxy/tls/context.h"

using namespace postern;
using namespace postern::tls;

TEST_CASE("smoke") {
  Authority authority;
  auto server = ServerContext::create({.certificates = {authority.issue({})}});
  REQUIRE_MESSAGE(server.has_value(), server.error());
  auto client = ClientContext::create({.ca_file = authority.root_file()});
  REQUIRE_MESSAGE(client.has_value(), client.error());
  for (int i = 0; i < 3; ++i) {
    Stream front = (*server)->accept(Protocol::Imap);
    Stream back = (*client)->connect("mail.example.org", "a");
    std::string to_server, to_client;
    Status s = Status::NeedInput, c = back.handshake("", to_server);
    while (c == Status::NeedInput || s == Status::NeedInput) {
      std::string in = std::move(to_server);
      to_server.clear();
      s = front.handshake(in, to_client);
      std::string in2 = std::move(to_client);
      to_client.clear();
      if (c == Status::NeedInput) c = back.handshake(in2, to_server);
    }
    CAPTURE(front.failure_text());
    CAPTURE(back.failure_text());
    REQUIRE(s == Status::Done);
    REQUIRE(c == Status::Done);
    MESSAGE(front.agreement().version, " ", front.agreement().cipher, " ", front.agreement().group, " ",
            front.agreement().resumed, " ", front.server_name());
    REQUIRE(front.encrypt("* OK hi\r\n", to_client) == Status::Done);
    std::string plain(64 * 1024, 0);
    std::size_t size = 0;
    REQUIRE(back.decrypt(to_client, plain, size, to_server) == Status::Done);
    CHECK(plain.substr(0, size) == "* OK hi\r\n");
  }
}
