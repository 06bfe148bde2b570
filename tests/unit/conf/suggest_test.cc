#include "conf/suggest.h"

#include <doctest/doctest.h>
#include <vector>

namespace postern::conf {
namespace {

TEST_CASE("the nearest word within a third of its letters is meant") {
  const std::vector<std::string> words = {"address", "protocol", "tls", "proxy_protocol",
                                          "trusted", "by",       "id"};
  const struct {
    const char* word;
    const char* meant;  // nullptr: none
  } kCases[] = {
      {"addres", "address"},
      {"adress", "address"},
      {"addresses", "address"},
      {"adrdess", "address"},
      {"ADDRESS", "address"},
      {"Adress", "address"},
      {"protokoll", "protocol"},
      {"proxyprotocol", "proxy_protocol"},
      {"proxy-protocol", "proxy_protocol"},
      {"tsl", "tls"},
      {"tl", "tls"},
      {"ssl", nullptr},
      {"t", nullptr},
      {"bye", "by"},
      {"x", nullptr},
      {"", nullptr},
      {"completely", nullptr},
      {"trust", "trusted"},
  };
  for (const auto& one : kCases) {
    CAPTURE(std::string(one.word));
    const std::optional<std::string> found = nearest(one.word, words);
    CHECK(found == (one.meant == nullptr ? std::nullopt : std::optional<std::string>(one.meant)));
  }
}

TEST_CASE("of equally near words the first is meant, and the nearer one before it") {
  const std::vector<std::string> words = {"imap", "imaps"};
  CHECK(nearest("imapx", words) == "imap");
  CHECK(nearest("imaps", words) == "imaps");
}

TEST_CASE("a word of any length is answered at once") {
  const std::vector<std::string> words = {std::string(65, 'a'), "aaa"};
  CHECK_FALSE(nearest(std::string(65, 'a'), words));
  CHECK_FALSE(nearest(std::string(1'000'000, 'a'), words));
}

TEST_CASE("the hint is a question or nothing") {
  const std::vector<std::string> words = {"store"};
  CHECK(did_you_mean("stroe", words) == "; did you mean \"store\"?");
  CHECK(did_you_mean("blue", words).empty());
  CHECK(did_you_mean("store", {}).empty());
}

}  // namespace
}  // namespace postern::conf
