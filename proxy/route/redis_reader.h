#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "parsers/secret.h"

struct redisReader;

namespace postern::route {

// One reply of Redis (RESP2), of the kinds that AUTH, SELECT and GET have.
struct RedisReply {
  enum class Kind : std::uint8_t {
    Text,   // a string or a status
    Nil,    // there is none
    Error,  // "WRONGTYPE Operation against ..."
    Other,  // a number
  };
  Kind kind = Kind::Other;
  std::string text;
};

// Replies out of bytes, by hiredis's reader. Arrays are not understood.
class RedisReader {
 public:
  static constexpr std::size_t kLongestReply = std::size_t{64} * 1024;

  struct NeedData {};
  struct Broken {};  // the last: not a reply, or a longer one
  using Event = std::variant<NeedData, RedisReply, Broken>;

  RedisReader();
  void receive(std::string_view bytes);
  Event next();

 private:
  struct Free {
    void operator()(redisReader* reader) const;
  };
  std::unique_ptr<redisReader, Free> reader_;
  bool broken_ = false;
};

// A command and its arguments, whatever octets they hold.
Secret write_redis(std::initializer_list<std::string_view> words);

}  // namespace postern::route
