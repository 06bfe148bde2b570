#include "proxy/route/map_file.h"

#include <doctest/doctest.h>
#include <string>

#include "tests/temporary_directory.h"

namespace postern::route {

namespace {

std::string found(const MapFile& file, std::string_view user) {
  const Place* place = file.find(user);
  return place ? place->pool + "/" + place->backend : "nothing";
}

}  // namespace

TEST_CASE("users are found by exactly their octets") {
  const auto file = MapFile::parse(
      "# who lives where\n\nbob@example.org blue\n  al\t \tgreen/g1  \n\xc3\xa9ve blue/b2\na=b#c:d "
      "blue\nlast red");
  REQUIRE(file.has_value());
  CHECK((*file)->size() == 5);
  CHECK(found(**file, "bob@example.org") == "blue/");
  CHECK(found(**file, "al") == "green/g1");
  CHECK(found(**file, "\xc3\xa9ve") == "blue/b2");
  CHECK(found(**file, "a=b#c:d") == "blue/");
  CHECK(found(**file, "last") == "red/");
  for (const std::string_view user : {"", "bob", "BOB@example.org", "bob@example.or", "bob@example.org blue",
                                      "bob@example.org ", "#", "who", "green/g1"}) {
    CAPTURE(user);
    CHECK(found(**file, user) == "nothing");
  }
  CHECK((*file)->places() == std::vector<Place>{{"blue", ""}, {"green", "g1"}, {"blue", "b2"}, {"red", ""}});
  CHECK((*file)->line_of(0) == 3);
  CHECK((*file)->line_of(2) == 5);
}

TEST_CASE("a file without users is one") {
  for (const std::string_view text : {"", "\n", "# nobody\n", "   \n\t\n"}) {
    const auto file = MapFile::parse(std::string(text));
    REQUIRE(file.has_value());
    CHECK((*file)->size() == 0);
    CHECK(found(**file, "bob") == "nothing");
  }
}

TEST_CASE("every problem is told with its line, and then there is no file") {
  const auto file = MapFile::parse(
      "bob blue\n"
      "alone\n"
      "al bl/ue/x\n"
      "al blue # home\n"
      "cr blue\r\n"
      "ctl\x01 blue\n"
      "bob green\n"
      "eve blue\n"
      "bob blue\n");
  REQUIRE_FALSE(file.has_value());
  CHECK(file.error() == files::Problems{
                            {2, "no pool behind the user"},
                            {3, "neither pool nor pool/backend, in letters, digits and _ . -"},
                            {4, "more than a user and its pool or pool/backend"},
                            {5, "a carriage return: lines end with a line feed alone"},
                            {6, "a control character"},
                            {7, "the user is on line 1 already"},
                            {9, "the user is on line 1 already"},
                        });
  CHECK(MapFile::parse("\xEF\xBB\xBF"
                       "bob blue\n")
            .error()
            .front() == files::Problem{1, "the file starts with a byte order mark"});
  std::string many;
  for (int i = 0; i < 100; ++i) many += "alone\n";
  CHECK(MapFile::parse(many).error().size() == files::kMaxProblems);
}

TEST_CASE("a file is read from the disk") {
  const TemporaryDirectory folder;
  const auto file = MapFile::load(folder.write("map", "bob blue/b1\n"));
  REQUIRE(file.has_value());
  CHECK(found(**file, "bob") == "blue/b1");
  CHECK(MapFile::load(folder / "none").error().front() ==
        files::Problem{0, "cannot be read: No such file or directory"});
  CHECK(MapFile::load("/").error().front() == files::Problem{0, "cannot be read: Is a directory"});
}

TEST_CASE("all of many users are found") {
  std::string text;
  constexpr int kUsers = 100'000;
  for (int i = 0; i < kUsers; ++i) {
    text += "user" + std::to_string(i) + "@example.org pool" + std::to_string(i % 7) + "\n";
  }
  const auto file = MapFile::parse(text);
  REQUIRE(file.has_value());
  int right = 0;
  for (int i = 0; i < kUsers; ++i) {
    const Place* place = (*file)->find("user" + std::to_string(i) + "@example.org");
    right += place && place->pool == "pool" + std::to_string(i % 7);
  }
  CHECK(right == kUsers);
  CHECK((*file)->places().size() == 7);
}

TEST_CASE("the map of a file answers at once") {
  const auto file = std::make_shared<CurrentMapFile>(*MapFile::parse("bob blue/b1\n"));
  FileMap map(file);
  const auto bob = map.find("bob", {3, 4});
  REQUIRE(bob);
  CHECK(bob->ticket == net::AnswerTicket{3, 4});
  CHECK(bob->fault == Fault::None);
  CHECK(bob->place == Place{"blue", "b1"});
  CHECK_FALSE(bob->stale);
  const auto eve = map.find("eve", {5, 1});
  REQUIRE(eve);
  CHECK(eve->fault == Fault::None);
  CHECK_FALSE(eve->place);
  file->replace(*MapFile::parse("# nobody\neve green\n"));
  CHECK_FALSE(map.find("bob", {3, 4})->place);
  CHECK(map.find("eve", {5, 1})->place == Place{"green", ""});
}

}  // namespace postern::route
