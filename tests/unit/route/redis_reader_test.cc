#include "proxy/route/redis_reader.h"

#include <algorithm>
#include <doctest/doctest.h>

namespace postern::route {

namespace {

std::string play(std::string_view bytes, std::size_t piece) {
  RedisReader reader;
  std::string story;
  for (std::size_t at = 0; at < bytes.size(); at += std::min(piece, bytes.size())) {
    reader.receive(bytes.substr(at, piece));
    while (true) {
      const auto event = reader.next();
      if (std::holds_alternative<RedisReader::NeedData>(event)) break;
      if (std::holds_alternative<RedisReader::Broken>(event)) return story + "broken";
      const auto& reply = std::get<RedisReply>(event);
      constexpr std::string_view kKinds[] = {"text", "nil", "error", "other"};
      story.append(kKinds[static_cast<int>(reply.kind)]).append("(").append(reply.text).append(")");
    }
  }
  return story;
}

}  // namespace

TEST_CASE("replies are read, however they are cut") {
  struct Row {
    std::string bytes, story;
  };
  const Row rows[] = {
      {"+OK\r\n$4\r\nblue\r\n$-1\r\n-ERR no such thing\r\n:7\r\n",
       "text(OK)text(blue)nil()error(ERR no such thing)other()"},
      {"$0\r\n\r\n", "text()"},
      {"$6\r\na\r\nb\r\n\r\n", "text(a\r\nb\r\n)"},
      {"*-1\r\n", "nil()"},
      {"$4\r\nbl", ""},
      {"HTTP/1.1 200 OK\r\n\r\n", "broken"},
      {"*1\r\n$1\r\na\r\n", "broken"},
      {"*2147483647\r\n", "broken"},
      {"*4294967296\r\n", "broken"},
      {"$-2\r\n", "broken"},
      {"+OK\r\n?", "text(OK)broken"},
      {"$65537\r\n" + std::string(65537, 'x') + "\r\n", "broken"},
      {"$100000000\r\n" + std::string(70000, 'x'), "broken"},
      {"+" + std::string(70000, 'x'), "broken"},
      {"$65000\r\n" + std::string(65000, 'x') + "\r\n", "text(" + std::string(65000, 'x') + ")"},
  };
  for (const Row& row : rows) {
    for (const std::size_t piece : {std::size_t{1} << 20, std::size_t{1000}, std::size_t{3}}) {
      CAPTURE(row.bytes.substr(0, 40));
      CAPTURE(piece);
      CHECK(play(row.bytes, piece) == row.story);
    }
  }
}

TEST_CASE("a command holds any octets") {
  CHECK(write_redis({"GET", "a b"}).reveal() == "*2\r\n$3\r\nGET\r\n$3\r\na b\r\n");
  CHECK(write_redis({"GET", std::string_view("\r\n\0", 3)}).reveal() ==
        std::string_view("*2\r\n$3\r\nGET\r\n$3\r\n\r\n\0\r\n", 22));
  CHECK(write_redis({"AUTH", ""}).reveal() == "*2\r\n$4\r\nAUTH\r\n$0\r\n\r\n");
}

}  // namespace postern::route
