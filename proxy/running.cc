#include "proxy/running.h"

#include <cstdlib>
#include <string_view>

#include "proxy/auth/http_client.h"
#include "proxy/net/loop.h"

namespace postern {

namespace {

constexpr std::chrono::seconds kPatience{2};
constexpr std::size_t kPage = std::size_t{64} * 1024 * 1024;  // of thousands of backends

std::string label(std::string_view labels, std::string_view name) {
  const std::string key = std::string(name) + "=\"";
  const std::size_t begin = labels.find(key);
  if (begin == std::string_view::npos) return {};
  const std::string_view rest = labels.substr(begin + key.size());
  return std::string(rest.substr(0, rest.find('"')));
}

// A backend's number, in the form that prometheus-cpp writes; names need no escapes (conf/reader.cc).
void take_line(std::string_view line, RunningBackends& backends) {
  const std::size_t open = line.find('{');
  const std::size_t close = line.rfind('}');
  if (open == std::string_view::npos || close == std::string_view::npos) return;
  const std::string_view name = line.substr(0, open);
  const std::string_view labels = line.substr(open + 1, close - open - 1);
  const double value = std::strtod(std::string(line.substr(close + 1)).c_str(), nullptr);
  const auto backend = [&] -> RunningBackend& {
    return backends[{label(labels, "pool"), label(labels, "backend")}];
  };
  if (name == "postern_backend_sessions") backend().sessions = static_cast<unsigned>(value);
  if (name == "postern_backend_pending_logins") backend().pending_logins = static_cast<unsigned>(value);
  if (name == "postern_backend_up") backend().up = value != 0;
  if (name == "postern_backend_ejected") backend().ejected = value != 0;
}

}  // namespace

std::optional<RunningBackends> read_backends(std::string_view metrics) {
  if (metrics.find("postern_build_info") == std::string_view::npos) return std::nullopt;
  RunningBackends backends;
  while (!metrics.empty()) {
    const std::size_t end = metrics.find('\n');
    take_line(metrics.substr(0, end), backends);
    metrics.remove_prefix(end == std::string_view::npos ? metrics.size() : end + 1);
  }
  return backends;
}

std::optional<RunningBackends> ask_running(const Endpoint& admin) {
  net::Loop loop({});
  conf::Url url;
  url.host = admin.address.to_string();
  url.port = admin.port;
  url.path = "/metrics";
  std::optional<RunningBackends> backends;
  auth::HttpClient client(
      loop, url, nullptr, 1, net::kServiceSlots,
      [&loop, &backends](std::uint64_t, const auth::HttpResult& result) {
        if (result && result->status == 200) backends = read_backends(result->body.reveal());
        loop.stop();
      },
      kPage);
  auth::HttpRequest request(auth::HttpRequest::Method::Get, url.path,
                            auth::http_host(url.host, url.port, false));
  client.submit(1, std::move(request).finish(), kPatience);
  loop.run();
  return backends;
}

}  // namespace postern
