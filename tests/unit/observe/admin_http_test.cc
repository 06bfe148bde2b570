#include "proxy/observe/admin_http.h"

#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <chrono>
#include <civetweb.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "proxy/observe/log_target.h"
#include "tests/temporary_directory.h"

using namespace postern;
using namespace postern::observe;
using namespace std::chrono_literals;

namespace {

std::unique_ptr<AdminHttp> serve(AdminPages pages, const char* address = "127.0.0.1:0") {
  auto server = AdminHttp::start(*Endpoint::parse(address), std::move(pages));
  REQUIRE_MESSAGE(server, (server ? "" : server.error()));
  REQUIRE((*server)->bound_port() != 0);
  return std::move(*server);
}

AdminPages quiet_pages() {
  return {.version = "0.1.0 <&>",
          .metrics = [] { return std::string("postern_draining 0\n"); },
          .healthy = [] { return Answer{true, "ok"}; },
          .ready = [] { return Answer{false, "draining since 10:00"}; }};
}

// A raw client: what it gets is what the server sent.
class Client {
 public:
  explicit Client(std::uint16_t port, int family = AF_INET) : fd_(::socket(family, SOCK_STREAM, 0)) {
    sockaddr_in v4{
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    v6.sin6_addr = in6addr_loopback;
    const bool six = family == AF_INET6;
    const auto* address = six ? reinterpret_cast<sockaddr*>(&v6) : reinterpret_cast<sockaddr*>(&v4);
    connected_ = ::connect(fd_.get(), address, six ? sizeof v6 : sizeof v4) == 0;
  }
  bool connected() const { return connected_; }
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  std::string read_all() {
    std::string all;
    std::array<char, 4096> buffer{};
    for (;;) {
      const auto size = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
      if (size <= 0) return all;
      all.append(buffer.data(), static_cast<std::size_t>(size));
    }
  }

 private:
  Descriptor fd_;
  bool connected_ = false;
};

std::string ask(std::uint16_t port, const std::string& request, int family = AF_INET) {
  Client client(port, family);
  client.send(request);
  return client.read_all();
}

std::string get(std::uint16_t port, const std::string& path, const std::string& method = "GET") {
  return ask(port, method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

std::string body_of(const std::string& reply) {
  const auto end = reply.find("\r\n\r\n");
  return end == std::string::npos ? "no head" : reply.substr(end + 4);
}

}  // namespace

TEST_CASE("each path has its page") {
  const auto server = serve(quiet_pages());
  const std::uint16_t port = server->bound_port();

  const std::string metrics = get(port, "/metrics");
  CHECK(metrics.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  CHECK(body_of(metrics) == "postern_draining 0\n");
  CHECK(get(port, "/metrics?name[]=x").starts_with("HTTP/1.1 200 OK\r\n"));

  CHECK(get(port, "/healthz").starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(body_of(get(port, "/healthz")) == "ok\n");
  CHECK(get(port, "/readyz").starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
  CHECK(body_of(get(port, "/readyz")) == "draining since 10:00\n");

  const std::string page = body_of(get(port, "/"));
  CHECK(page.find("<h1>Postern 0.1.0 &lt;&amp;></h1>") != std::string::npos);
  CHECK(page.find("Not ready: draining since 10:00") != std::string::npos);
  for (const char* path : {"/metrics", "/healthz", "/readyz"})
    CHECK(page.find("href=\"" + std::string(path) + "\"") != std::string::npos);
}

TEST_CASE("other paths are 404, other methods 405, HEAD has no body") {
  const auto server = serve(quiet_pages());
  const std::uint16_t port = server->bound_port();
  for (const char* path :
       {"/metric", "/metrics/", "/etc/passwd", "/..%2f..%2fetc%2fpasswd", "/../etc/passwd", "/healthz/x"}) {
    INFO(std::string(path));
    CHECK(get(port, path).starts_with("HTTP/1.1 404 Not Found\r\n"));
  }
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH"}) {
    INFO(std::string(method));
    const std::string reply = get(port, "/metrics", method);
    CHECK(reply.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"));
    CHECK(reply.find("\r\nAllow: GET, HEAD\r\n") != std::string::npos);
  }
  const std::string head = get(port, "/metrics", "HEAD");
  CHECK(head.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(head.find("\r\nContent-Length: 19\r\n") != std::string::npos);
  CHECK(body_of(head) == "");
}

TEST_CASE("what is no HTTP, or too much of it, is refused and the server goes on") {
  const auto server = serve(quiet_pages());
  const std::uint16_t port = server->bound_port();
  const std::string inputs[] = {"\x16\x03\x01\x02 not HTTP at all\r\n\r\n", "BREW / HTTP/1.1\r\n\r\n",
                                "GET / HTTP/9.9\r\n\r\n",
                                "GET /" + std::string(1'000'000, 'a') + " HTTP/1.1\r\n\r\n",
                                "GET / HTTP/1.1\r\nX: " + std::string(1'000'000, 'a') + "\r\n\r\n"};
  for (const std::string& input : inputs) {
    const std::string reply = ask(port, input);
    CAPTURE(reply);
    CHECK_FALSE(reply.starts_with("HTTP/1.1 200"));
  }
  CHECK(get(port, "/healthz").starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_CASE("clients that never finish their request are cut off, and the next ones are served") {
  const auto server = serve(quiet_pages());
  const std::uint16_t port = server->bound_port();
  std::vector<Client> slow;
  for (int i = 0; i < 8; ++i) {  // twice the threads
    slow.emplace_back(port);
    REQUIRE(slow.back().send("GET /metrics HTTP/1.1\r\nX: "));
  }
  const auto start = std::chrono::steady_clock::now();
  CHECK(get(port, "/healthz").starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(std::chrono::steady_clock::now() - start < 15s);
  for (Client& client : slow) CHECK_FALSE(client.read_all().starts_with("HTTP/1.1 200"));
}

TEST_CASE("clients that never read their answer are cut off, and the next ones are served") {
  auto pages = quiet_pages();
  pages.metrics = [] { return std::string(8'000'000, 'x'); };  // more than the sockets take
  const auto server = serve(pages);
  const std::uint16_t port = server->bound_port();
  std::vector<Client> slow;
  for (int i = 0; i < 8; ++i) {
    slow.emplace_back(port);
    REQUIRE(slow.back().send("GET /metrics HTTP/1.1\r\n\r\n"));
  }
  const auto start = std::chrono::steady_clock::now();
  CHECK(get(port, "/healthz").starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(std::chrono::steady_clock::now() - start < 15s);
}

TEST_CASE("a hundred scrapes at once are answered or turned away, and the server goes on") {
  const auto server = serve({.version = "",
                             .metrics = [] { return std::string(200'000, 'x'); },
                             .healthy = [] { return Answer{true, "ok"}; },
                             .ready = [] { return Answer{true, "ok"}; }});
  const std::uint16_t port = server->bound_port();
  std::atomic<int> whole = 0;
  std::atomic<int> broken = 0;
  {
    std::vector<std::jthread> scrapers;
    for (int i = 0; i < 100; ++i)
      scrapers.emplace_back([&whole, &broken, port] {
        const std::string reply = get(port, "/metrics");
        if (body_of(reply) == std::string(200'000, 'x'))
          ++whole;
        else if (reply.starts_with("HTTP/1.1 200"))
          ++broken;
      });
  }
  CHECK(whole > 0);
  CHECK(broken == 0);
  CHECK(get(port, "/healthz").starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_CASE("its port is free again at the end, and the end is quick") {
  std::uint16_t port = 0;
  std::chrono::steady_clock::time_point end;
  {
    const auto server = serve(quiet_pages());
    port = server->bound_port();
    get(port, "/healthz");
    end = std::chrono::steady_clock::now();
  }
  CHECK(std::chrono::steady_clock::now() - end < 1900ms);  // civetweb's own wait is 2 s
  CHECK_FALSE(Client(port).connected());
}

TEST_CASE("it listens on IPv6, or says that this civetweb cannot") {
  if (mg_check_feature(MG_FEATURES_IPV6) == 0) {
    const auto server = AdminHttp::start(*Endpoint::parse("[::1]:0"), quiet_pages());
    REQUIRE_FALSE(server);
    CHECK(server.error() == "cannot serve HTTP on [::1]:0: this civetweb was built without IPv6");
    return;
  }
  const auto server = serve(quiet_pages(), "[::1]:0");
  CHECK(ask(server->bound_port(), "GET /healthz HTTP/1.0\r\n\r\n", AF_INET6)
            .starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK_FALSE(Client(server->bound_port(), AF_INET).connected());
}

TEST_CASE("an address that cannot be bound is an error that names it") {
  const auto server = serve(quiet_pages());
  const Endpoint taken{.address = *Address::parse("127.0.0.1"), .port = server->bound_port()};
  const auto second = AdminHttp::start(taken, quiet_pages());
  REQUIRE_FALSE(second);
  INFO(second.error());
  CHECK(second.error().starts_with("cannot serve HTTP on 127.0.0.1:" + std::to_string(taken.port) + ": "));
  CHECK(second.error().ends_with("(Address already in use)"));
  CHECK(AdminHttp::start(*Endpoint::parse("192.0.2.1:80"), quiet_pages())
            .error()
            .starts_with("cannot serve HTTP on 192.0.2.1:80: "));
}

TEST_CASE("the HTTP server brings no OpenSSL into the process") {
  const auto server = serve(quiet_pages());
  CHECK(get(server->bound_port(), "/healthz").starts_with("HTTP/1.1 200 OK\r\n"));
  const std::string maps = content_of("/proc/self/maps");
  CHECK(maps.find("libcivetweb") != std::string::npos);
  CHECK(maps.find("libssl") == std::string::npos);
  CHECK(maps.find("libcrypto") == std::string::npos);
}
