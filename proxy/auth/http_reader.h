#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/auth/http_message.h"

namespace postern::auth {

// Reads one answer (RFC 9112), in pieces of any size. Strict where a doubt would let the two ends disagree
// about where it ends. Interim answers (1xx) are skipped, trailers are not part of what is told.
class HttpReader {
 public:
  static constexpr std::size_t kHeader = std::size_t{64} * 1024;  // status line and fields
  static constexpr std::size_t kBody = std::size_t{64} * 1024;
  static constexpr unsigned kInterim = 8;

  enum class State : std::uint8_t {
    NeedMore,
    Done,
    Failed,  // see error()
  };

  // `body`: how long the answer's may be at most.
  explicit HttpReader(std::size_t body = kBody);
  HttpReader(const HttpReader&) = delete;
  HttpReader& operator=(const HttpReader&) = delete;
  ~HttpReader();

  // Only while NeedMore.
  State receive(std::string_view bytes);
  // The connection has ended: that is the end of an answer that does not tell its length (RFC 9112 §6.3).
  State end();

  bool started() const { return received_ != 0; }

  // After Done.
  bool reusable() const;  // the connection may carry another request
  HttpAnswer take();

  // After Failed: "bad version", and the like. No byte of the answer.
  const std::string& error() const { return error_; }

 private:
  class Parser;  // Beast's
  State fail(std::string_view why);

  const std::size_t body_;
  std::unique_ptr<Parser> parser_;
  Secret input_;  // not parsed yet
  std::size_t received_ = 0;
  unsigned interim_ = 0;
  std::string error_;
};

}  // namespace postern::auth
