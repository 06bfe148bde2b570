#include "proxy/auth/http_reader.h"

#include <doctest/doctest.h>
#include <string>

namespace postern::auth {
namespace {

using State = HttpReader::State;

struct Read {
  State state;
  bool reusable = false;
  HttpAnswer answer;
  std::string error;
};

// Feeds in pieces; `ended` closes the connection behind the bytes.
Read read(std::string_view bytes, std::size_t piece, bool ended = false) {
  HttpReader reader;
  State state = State::NeedMore;
  for (std::size_t at = 0; at < bytes.size() && state == State::NeedMore; at += piece)
    state = reader.receive(bytes.substr(at, piece));
  if (ended && state == State::NeedMore) state = reader.end();
  Read result{.state = state, .answer = {}, .error = reader.error()};
  if (state == State::Done) {
    result.reusable = reader.reusable();
    result.answer = reader.take();
  }
  return result;
}

TEST_CASE("an answer is the same however it is cut") {
  struct Row {
    const char* what;
    std::string bytes;
    bool ended;
    unsigned status;
    std::string body;
    bool reusable;
  };
  const Row rows[] = {
      {"length", "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 3\r\n\r\nabc", false, 200, "abc", true},
      {"no body", "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 0\r\n\r\n", false, 200, "", true},
      {"no content", "HTTP/1.1 204 No Content\r\nA: b\r\n\r\n", false, 204, "", true},
      {"close", "HTTP/1.1 200 OK\r\nA: b\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", false, 200, "x",
       false},
      {"until the end", "HTTP/1.0 200 OK\r\nA: b\r\n\r\nxyz", true, 200, "xyz", false},
      {"until the end, without a body", "HTTP/1.0 200 OK\r\nA: b\r\n\r\n", true, 200, "", false},
      {"1.0 with a length", "HTTP/1.0 200 OK\r\nA: b\r\nContent-Length: 1\r\n\r\nx", false, 200, "x", false},
      {"1.0 kept", "HTTP/1.0 200 OK\r\nA: b\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", false,
       200, "x", true},
      {"chunks",
       "HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
       false, 200, "abcde", true},
      {"no chunk", "HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false, 200, "",
       true},
      {"trailer", "HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nA: c\r\n\r\n",
       false, 200, "x", true},
      {"interim", "HTTP/1.1 103 Early\r\nA: c\r\n\r\nHTTP/1.1 500 No\r\nA: b\r\nContent-Length: 0\r\n\r\n",
       false, 500, "", true},
  };
  for (const Row& row : rows) {
    CAPTURE(std::string(row.what));
    for (std::size_t piece = 1; piece <= row.bytes.size(); ++piece) {
      const Read got = read(row.bytes, piece, row.ended);
      REQUIRE(got.state == State::Done);
      CHECK(got.answer.status == row.status);
      CHECK(got.answer.body.reveal() == row.body);
      CHECK(got.answer.find("a") == "b");
      CHECK_FALSE(got.answer.repeated("a"));
      CHECK(got.reusable == row.reusable);
    }
  }
}

TEST_CASE("fields are found in whatever case, the first of them, and it can be told that there are more") {
  const Read got =
      read("HTTP/1.1 200 OK\r\nAuth-Wait:  3 \r\nAUTH-WAIT: 4\r\nX:\r\nContent-Length: 0\r\n\r\n", 999);
  REQUIRE(got.state == State::Done);
  CHECK(got.answer.find("auth-wait") == "3");
  CHECK(got.answer.repeated("Auth-wait"));
  CHECK(got.answer.find("x") == "");
  CHECK_FALSE(got.answer.find("Auth-Wai"));
}

TEST_CASE("bytes behind an answer make the connection useless") {
  const Read got = read("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nH", 999);
  CHECK(got.state == State::Done);
  CHECK_FALSE(got.reusable);
}

TEST_CASE("what is no answer fails, with a reason that holds nothing of it") {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::string rows[] = {
      "* OK IMAP4rev1 ready\r\n\r\n",
      "SSH-2.0-OpenSSH_9.2\r\n\r\n",
      "HTTP/2.0 200 OK\r\n\r\n",
      "HTTP/1.1 20 OK\r\n\r\n",
      "HTTP/1.1 101 Switching Protocols\r\n\r\n",
      ok + "secret value\r\n\r\n",
      ok + "Auth-Status OK\r\n\r\n",
      ok + " Auth-Status: OK\r\n\r\n",
      ok + "Auth-Status : OK\r\n\r\n",
      ok + "A: secret\rB: c\r\n\r\n",
      ok + "A: b\nB: c\n\n\r\n\r\n",
      ok + std::string("A: b\0c\r\n\r\n", 10),
      ok + "Content-Length: abc\r\n\r\n",
      ok + "Content-Length: -1\r\n\r\n",
      ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
      ok + "Content-Length: 99999999999999999999\r\n\r\n",
      ok + "Content-Length: 65537\r\n\r\n",
      ok + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      ok + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
      ok + "Transfer-Encoding: chunked\r\n\r\nsecret\r\n",
      ok + "Transfer-Encoding: chunked\r\n\r\n10001\r\n",
      ok + "Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n",
      ok + "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
  };
  for (const std::string& row : rows) {
    CAPTURE(row);
    for (const std::size_t piece : {std::size_t{1}, row.size()}) {
      const Read got = read(row, piece);
      CHECK(got.state == State::Failed);
      CHECK_FALSE(got.error.empty());
      CHECK_FALSE(got.error.contains("secret"));
    }
  }
}

TEST_CASE("half an answer is none") {
  for (const std::string& row : {std::string("HTTP/1.1 20"), std::string("HTTP/1.1 200 OK\r\n"),
                                 std::string("HTTP/1.1 200 OK\r\nAuth-Status: OK\r\n"),
                                 std::string("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx"),
                                 std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nx"),
                                 std::string("HTTP/1.1 100 Continue\r\n\r\n"), std::string()}) {
    CAPTURE(row);
    CHECK(read(row, 999).state == State::NeedMore);
    CHECK(read(row, 999, true).state == State::Failed);
  }
}

TEST_CASE("an answer without an end is cut off, wherever it grows") {
  const auto endless = [](const std::string& start, const std::string& part, std::size_t piece, bool ended) {
    std::string bytes = start;
    while (bytes.size() < 8 * HttpReader::kBody + 1000) bytes += part;
    return read(bytes, piece, ended).state;
  };
  for (const std::size_t piece : {std::size_t{1000}, std::size_t{1} << 20}) {
    CAPTURE(piece);
    CHECK(endless("", "x", piece, false) == State::Failed);
    CHECK(endless("HTTP/1.1 200 ", "x", piece, false) == State::Failed);
    CHECK(endless("HTTP/1.1 200 OK\r\n", "A: b\r\n", piece, false) == State::Failed);
    CHECK(endless("HTTP/1.1 200 OK\r\nA: ", "b", piece, false) == State::Failed);
    CHECK(endless("HTTP/1.0 200 OK\r\n\r\n", "b", piece, true) == State::Failed);
    CHECK(endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", piece, false) ==
          State::Failed);
    CHECK(endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", "x", piece, false) ==
          State::Failed);
    CHECK(endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "A: b\r\n", piece, false) ==
          State::Failed);
    CHECK(endless("", "HTTP/1.1 100 Continue\r\n\r\n", piece, false) == State::Failed);
  }
}

TEST_CASE("a header that comes in many pieces has the same limit as one in a single piece") {
  std::string bytes = "HTTP/1.1 200 OK\r\n";
  while (bytes.size() < HttpReader::kHeader + 1000) bytes += "A: b\r\n";
  CHECK(read(bytes, 1000).error == "header too long");
  CHECK(read(bytes, bytes.size()).state == State::Failed);
}

TEST_CASE("a header and a body as large as may be are read") {
  const std::string value(HttpReader::kHeader - 200, 'v');
  const std::string body(HttpReader::kBody, 'b');
  std::string bytes = "HTTP/1.1 200 OK\r\nA: ";
  bytes.append(value).append("\r\nContent-Length: 65536\r\n\r\n").append(body);
  for (const std::size_t piece : {std::size_t{1000}, std::size_t{1} << 20}) {
    const Read got = read(bytes, piece);
    REQUIRE(got.state == State::Done);
    CHECK(got.answer.find("A") == value);
    CHECK(got.answer.body.reveal() == body);
  }
}

}  // namespace
}  // namespace postern::auth
