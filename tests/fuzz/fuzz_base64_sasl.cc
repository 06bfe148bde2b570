#include <cstdint>
#include <string>

#include "parsers/base64.h"
#include "parsers/bearer.h"
#include "parsers/sasl.h"
#include "tests/fuzz/require.h"

// Base64 has one text for each run of bytes and refuses all others; PLAIN gives back what it was made of, and
// a message with a token holds what was read from it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace postern;
  using fuzz::require;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);

  if (const auto decoded = decode_base64(bytes)) {
    require(encode_base64(decoded->reveal()).reveal() == bytes, "a text that is accepted is the only one");
  }
  const auto again = decode_base64(encode_base64(bytes).reveal());
  require(again && again->reveal() == bytes, "what is encoded is decoded");

  if (const auto credentials = parse_plain(bytes)) {
    require(!check(*credentials), "parse_plain checks");
    require(credentials->authorization != credentials->user, "one's own identity is no authorization");
    const Secret written =
        write_plain(credentials->authorization, credentials->user, credentials->password.reveal());
    const Secret doubled = write_plain(credentials->user, credentials->user, credentials->password.reveal());
    require(written.reveal() == bytes || doubled.reveal() == bytes, "nothing of PLAIN is lost");
  }
  for (const auto parse : {&parse_xoauth2, &parse_oauthbearer}) {
    const auto credentials = parse(bytes);
    if (!credentials) continue;
    require(!check(*credentials), "a token that is read is checked");
    require(credentials->message.reveal() == bytes && credentials->has_message, "the message is kept");
    require(bytes.contains(credentials->password.reveal()), "the token is the client's");
    require(parse == &parse_oauthbearer || bytes.contains(credentials->user), "the user is the client's");
  }
  if (const auto mechanism = parse_mechanism(bytes)) {
    require(bytes.size() == sasl_name_of(*mechanism).size(), "a mechanism's name is exact");
  }
  return 0;
}
