#include "proxy/observe/admin_http.h"

#include <array>
#include <atomic>
#include <chrono>
#include <civetweb.h>
#include <fmt/format.h>
#include <future>
#include <pthread.h>
#include <signal.h>
#include <string_view>
#include <utility>

namespace postern::observe {

namespace {

struct Reply {
  int status = 200;
  std::string_view type = "text/plain; charset=utf-8";
  std::string body;
};

// For text that stands between tags.
std::string in_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '&':
        out += "&amp;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string front_page(const AdminPages& pages) {
  const Answer ready = pages.ready();
  return fmt::format(R"(<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>Postern</title>
<h1>Postern {}</h1>
<p>{}: {}</p>
<ul>
<li><a href="/metrics">/metrics</a>: for Prometheus</li>
<li><a href="/healthz">/healthz</a>: 200 while the process works</li>
<li><a href="/readyz">/readyz</a>: 200 while it takes new sessions</li>
</ul>
)",
                     in_html(pages.version), ready.ok ? "Ready" : "Not ready", in_html(ready.text));
}

Reply probe(Answer answer) {
  answer.text += '\n';
  return {.status = answer.ok ? 200 : 503, .body = std::move(answer.text)};
}

Reply answer(const AdminPages& pages, std::string_view method, std::string_view path) {
  if (method != "GET" && method != "HEAD") return {.status = 405, .body = "Only GET and HEAD.\n"};
  if (path == "/") return {.type = "text/html; charset=utf-8", .body = front_page(pages)};
  if (path == "/metrics")
    return {.type = "text/plain; version=0.0.4; charset=utf-8", .body = pages.metrics()};
  if (path == "/healthz") return probe(pages.healthy());
  if (path == "/readyz") return probe(pages.ready());
  return {.status = 404, .body = "Not found.\n"};
}

void send(mg_connection* connection, const Reply& reply, bool with_body) {
  std::string out = fmt::format(
      "HTTP/1.1 {} {}\r\n"
      "Content-Type: {}\r\n"
      "Content-Length: {}\r\n"
      "Cache-Control: no-store\r\n"
      "X-Content-Type-Options: nosniff\r\n"
      "Content-Security-Policy: default-src 'none'\r\n"
      "{}Connection: close\r\n\r\n",
      reply.status, mg_get_response_code_text(connection, reply.status), reply.type, reply.body.size(),
      reply.status == 405 ? "Allow: GET, HEAD\r\n" : "");
  if (with_body) out += reply.body;
  mg_write(connection, out.data(), out.size());
}

}  // namespace

struct AdminHttp::Impl {
  const AdminPages pages;
  const std::string host;
  mg_context* context = nullptr;
  std::atomic<bool> starting = true;
  std::string complaint;  // the first one while starting: the cause

  Impl(AdminPages what, std::string where) : pages(std::move(what)), host(std::move(where)) {
    mg_init_library(MG_FEATURES_DEFAULT);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    if (context != nullptr) stop();
    mg_exit_library();
  }

  void start(const char** options);
  void stop();

  static int on_request(mg_connection* connection) {
    const mg_request_info* request = mg_get_request_info(connection);
    const std::string_view method = request->request_method;
    const Reply reply = answer(static_cast<Impl*>(request->user_data)->pages, method, request->local_uri);
    send(connection, reply, method != "HEAD");
    return reply.status;
  }

  // For requests that civetweb refuses itself; what it would send calls gmtime() in several threads.
  static int on_error(mg_connection* connection, int status, const char*) {
    send(connection, {.status = status, .body = "Refused.\n"}, true);
    return 0;
  }

  // What civetweb says while it starts is the reason why it can't; later it is about single requests, and
  // would go to stderr in a form of its own.
  static int on_message(const mg_connection* connection, const char* message) {
    auto* impl = static_cast<Impl*>(mg_get_user_data(mg_get_context(connection)));
    if (impl != nullptr && impl->starting && impl->complaint.empty()) impl->complaint = message;
    return 1;
  }
};

// Signals are the main thread's: civetweb's threads inherit a mask that blocks them all.
void AdminHttp::Impl::start(const char** options) {
  mg_callbacks callbacks{};
  callbacks.begin_request = on_request;
  callbacks.http_error = on_error;
  callbacks.log_message = on_message;
  mg_init_data init{.callbacks = &callbacks, .user_data = this, .configuration_options = options};
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, &before);
  context = mg_start2(&init, nullptr);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  starting = false;
}

// civetweb notices that it shall stop when its listening thread wakes, up to 2 seconds later, or at once when
// someone connects.
void AdminHttp::Impl::stop() {
  mg_server_port port{};
  mg_get_server_ports(context, 1, &port);
  auto stopped = std::async(std::launch::async, mg_stop, context);
  do {
    std::array<char, 128> error{};
    mg_close_connection(mg_connect_client(host.c_str(), port.port, 0, error.data(), error.size()));
  } while (stopped.wait_for(std::chrono::milliseconds(20)) != std::future_status::ready);
}

std::expected<std::unique_ptr<AdminHttp>, std::string> AdminHttp::start(const Endpoint& endpoint,
                                                                        AdminPages pages) {
  auto impl = std::make_unique<Impl>(std::move(pages), endpoint.address.to_string());
  const std::string address = endpoint.to_string();
  if (endpoint.address.family == Address::Family::V6 && mg_check_feature(MG_FEATURES_IPV6) == 0)
    return std::unexpected(
        fmt::format("cannot serve HTTP on {}: this civetweb was built without IPv6", address));
  std::array options{"listening_ports",
                     address.c_str(),
                     "num_threads",
                     "4",
                     "connection_queue",
                     "16",
                     "listen_backlog",
                     "16",
                     "request_timeout_ms",
                     "2000",
                     "max_request_size",
                     "8192",
                     "enable_keep_alive",
                     "no",
                     "decode_url",
                     "no",
                     static_cast<const char*>(nullptr)};
  impl->start(options.data());
  if (impl->context == nullptr)
    return std::unexpected(fmt::format("cannot serve HTTP on {}: {}", address, impl->complaint));
  return std::unique_ptr<AdminHttp>(new AdminHttp(std::move(impl)));
}

AdminHttp::AdminHttp(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AdminHttp::~AdminHttp() = default;

std::uint16_t AdminHttp::bound_port() const {
  mg_server_port port{};
  mg_get_server_ports(impl_->context, 1, &port);
  return static_cast<std::uint16_t>(port.port);
}

}  // namespace postern::observe
