#include <CLI/CLI.hpp>
#include <cstdio>

#include "bench/load_driver.h"

// Drives a proxy or a store: `logins` as many as it can with so many at once, `idle` sessions that stay until
// standard input ends, `noop` round trips, `fetch` and `append` of messages. Prints one line of JSON; `idle`,
// and the others with --until-end, first "ready" and the seconds that it took, once every session is logged
// in.

int main(int argc, char** argv) {
  using namespace postern;
  bench::Options options;
  CLI::App app("Load for a mail proxy");
  app.add_option("mode", options.mode, "logins, idle, noop, fetch or append")
      ->required()
      ->check(CLI::IsMember({"logins", "idle", "noop", "fetch", "append"}));
  app.add_option("endpoint", options.endpoint, "address:port")
      ->required()
      ->check([](const std::string& text) {
        return Endpoint::parse(text) ? std::string() : "not an address and a port: " + text;
      });
  app.add_option("--protocol", options.protocol)->check(CLI::IsMember({"imap", "pop3"}));
  app.add_option("--tls", options.tls.version, "Its version")->check(CLI::IsMember({"1.2", "1.3"}));
  app.add_option("--group", options.tls.group, "Of the key exchange: X25519, P-256, X25519MLKEM768");
  app.add_flag("--clear", options.clear, "No TLS");
  app.add_flag("--resume", options.resume, "Resume the TLS session of the client that left");
  app.add_flag("--until-end", options.until_end, "Go on until standard input ends, whatever the count");
  app.add_option("--at-once", options.at_once, "Connections at once; the sessions of all modes but logins");
  app.add_option("--wave", options.wave, "Sessions that are opened together");
  app.add_option("--count", options.count, "Operations in all");
  app.add_option("--rate", options.rate,
                 "Operations per second, due whether or not the earlier ones are done")
      ->check(CLI::PositiveNumber);
  app.add_option("--message", options.message, "Bytes of a message");
  app.add_option("--users", options.users, "Different user names");
  CLI11_PARSE(app, argc, argv);
  const auto tls = bench::LoadTls::create(options.tls);
  if (!tls) {
    std::fprintf(stderr, "bench_load: %s\n", tls.error().c_str());
    return 2;
  }
  return bench::LoadDriver(options, **tls).run();
}
