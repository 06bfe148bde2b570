#include "proxy/route/map.h"

#include <doctest/doctest.h>

namespace postern::route {

TEST_CASE("a place is a pool, and perhaps one of its backends") {
  CHECK(Place::parse("blue") == Place{"blue", ""});
  CHECK(Place::parse("blue/b1") == Place{"blue", "b1"});
  CHECK(Place::parse("A-z_0.9/_.-") == Place{"A-z_0.9", "_.-"});
  for (const std::string_view text : {"", "/", "/b1", "blue/", "blue/b1/", "blue//b1", "blue/b1/x", "bl ue",
                                      " blue", "blue ", "blue\n", "blue/b 1", "bl\xc3\xbc", "blue:b1", "*"}) {
    CAPTURE(text);
    CHECK_FALSE(Place::parse(text));
  }
  CHECK_FALSE(Place::parse(std::string_view("blue\0", 5)));
}

}  // namespace postern::route
