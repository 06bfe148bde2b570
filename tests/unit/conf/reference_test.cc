#include <doctest/doctest.h>

#include "conf/loader.h"
#include "conf/schema.h"
#include "tests/temporary_directory.h"

namespace postern::conf {
namespace {

TEST_CASE("conf/REFERENCE.md is what the schema says") {
  INFO("make it anew: ninja postern_reference, then conf/postern_reference > conf/REFERENCE.md");
  CHECK(content_of(POSTERN_CONF "/REFERENCE.md") == reference());
}

TEST_CASE("the reference has every key and every word") {
  const std::string text = reference();
  for (const Row& row : rows()) {
    CAPTURE(std::string(row.key));
    CHECK(text.find(row.key) != std::string::npos);
    for (const std::string_view word : row.type.words) {
      CHECK(text.find("`\"" + std::string(word) + "\"`") != std::string::npos);
    }
    for (const std::string_view word : row.type.refused) {
      CHECK(text.find("`\"" + std::string(word) + "\"`") != std::string::npos);
    }
  }
}

TEST_CASE("no cell of the reference breaks its table") {
  for (const Row& row : rows()) {
    CHECK(row.help.find('|') == std::string_view::npos);
    CHECK(row.fallback.find('|') == std::string_view::npos);
  }
}

}  // namespace
}  // namespace postern::conf
