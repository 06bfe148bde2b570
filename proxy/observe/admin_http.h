#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "parsers/address.h"

namespace postern::observe {

struct Answer {
  bool ok = false;
  std::string text;  // one or more lines for the reader
};

// What the pages say. Called on the server's own threads, several at a time.
struct AdminPages {
  std::string version;
  std::function<std::string()> metrics;  // Prometheus' text format
  std::function<Answer()> healthy;       // the loops turn
  std::function<Answer()> ready;         // takes new sessions: not draining, some backend is up
};

// The reads-only HTTP server: GET and HEAD of /, /metrics, /healthz (200 or 503) and /readyz (200 or 503).
// Other paths are 404, other methods 405. It has a few threads of its own and shares nothing with the loops;
// a request must arrive within 2 seconds, its head in 8 KiB.
class AdminHttp {
 public:
  // Port 0 takes any free port. The error is one sentence for the operator and names the address.
  static std::expected<std::unique_ptr<AdminHttp>, std::string> start(const Endpoint& endpoint,
                                                                      AdminPages pages);
  ~AdminHttp();  // waits for requests that are under way

  std::uint16_t bound_port() const;

 private:
  struct Impl;
  explicit AdminHttp(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace postern::observe
