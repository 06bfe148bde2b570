#include "proxy/auth/http_reader.h"

// Beast asserts that an empty chunked body arrives in pieces of certain sizes; what it does then is right.
#define BOOST_DISABLE_ASSERTS
#include <boost/beast/http/basic_parser.hpp>

namespace postern::auth {

namespace http = boost::beast::http;

namespace {

constexpr std::size_t kChunked = 8;  // a body in chunks of one octet is so many times as long

}  // namespace

class HttpReader::Parser final : public http::basic_parser<false> {
 public:
  explicit Parser(std::size_t body) {
    header_limit(kHeader);
    body_limit(body);
    eager(true);
  }
  HttpAnswer answer;

 private:
  using Text = boost::beast::string_view;
  using Error = boost::beast::error_code;
  static std::string_view view(Text text) { return {text.data(), text.size()}; }

  void on_request_impl(http::verb, Text, Text, int, Error&) override {}
  void on_response_impl(int code, Text, int, Error&) override { answer.status = static_cast<unsigned>(code); }
  void on_field_impl(http::field, Text name, Text value, Error&) override {
    if (!header_ended_) answer.fields.push_back({std::string(view(name)), Secret(view(value))});
  }
  void on_header_impl(Error&) override { header_ended_ = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Error&) override {}
  std::size_t on_body_impl(Text body, Error&) override { return append(body); }
  void on_chunk_header_impl(std::uint64_t, Text, Error&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, Text body, Error&) override { return append(body); }
  void on_finish_impl(Error&) override {}

  std::size_t append(Text body) {
    answer.body.append(view(body));
    return body.size();
  }

  bool header_ended_ = false;
};

HttpReader::HttpReader(std::size_t body) : body_(body), parser_(std::make_unique<Parser>(body)) {}

HttpReader::~HttpReader() = default;

HttpReader::State HttpReader::receive(std::string_view bytes) {
  received_ += bytes.size();
  input_.append(bytes);
  while (!input_.empty()) {
    boost::beast::error_code error;
    const std::string_view input = input_.reveal();
    const std::size_t read = parser_->put(boost::asio::const_buffer(input.data(), input.size()), error);
    input_.drop_front(read);
    if (error && error != http::error::need_more) return fail(error.message());
    if (!parser_->is_header_done() && received_ > kHeader) return fail("header too long");
    if (received_ > kChunked * body_) return fail("too long");
    if (error) return State::NeedMore;
    if (!parser_->is_done()) {
      if (read == 0) return State::NeedMore;
      continue;
    }
    if (parser_->answer.status == 101) return fail("unexpected protocol switch");
    if (parser_->answer.status >= 200) return State::Done;
    if (++interim_ > kInterim) return fail("too many interim answers");
    parser_ = std::make_unique<Parser>(body_);
  }
  return State::NeedMore;
}

HttpReader::State HttpReader::end() {
  if (!parser_->got_some()) return fail("no answer");
  boost::beast::error_code error;
  parser_->put_eof(error);
  return error ? fail("incomplete") : State::Done;
}

bool HttpReader::reusable() const { return parser_->keep_alive() && input_.empty(); }

HttpAnswer HttpReader::take() { return std::move(parser_->answer); }

HttpReader::State HttpReader::fail(std::string_view why) {
  error_ = why;
  return State::Failed;
}

}  // namespace postern::auth
