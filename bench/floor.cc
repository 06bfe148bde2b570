#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

// The least that a proxy which ends TLS can do: a handshake in BoringSSL, and recv and send of the same
// bytes. Threads that block, each with one client from accept to close; no loop, no login, no log, no time
// limit, no memory saved. Nobody would run it: it shows what of Postern's cost is not Postern's.

namespace postern::bench {
namespace {

constexpr std::size_t kBuffer = std::size_t{128} * 1024;
constexpr std::size_t kRecord = std::size_t{17} * 1024;  // more than one: a buffer's bytes may complete it
constexpr int kThreads = 64;                             // clients at once

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(2);
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }
  bool send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t size = ::send(number_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(size));
    }
    return true;
  }
  std::string_view receive(std::vector<char>& into) const {
    const ssize_t size = ::recv(number_, into.data(), into.size(), 0);
    return {into.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
  }

 private:
  int number_;
};

Descriptor connect_to(std::uint16_t port) {
  const int number = ::socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  ::setsockopt(number, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  const sockaddr_in address = loopback(port);
  if (::connect(number, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    give_up("connect");
  return Descriptor(number);
}

// TLS over bytes that are received and sent elsewhere, so that one send carries many records.
class Tls {
 public:
  explicit Tls(SSL_CTX* context) : ssl_(SSL_new(context)), output_(BIO_new(BIO_s_mem())) {
    BIO* input = BIO_new(kInput.get());
    BIO_set_data(input, this);
    BIO_set_init(input, 1);
    SSL_set_bio(ssl_.get(), input, output_);
    SSL_set_accept_state(ssl_.get());
  }
  SSL* ssl() { return ssl_.get(); }
  // All of them are read before the next come.
  void take(std::string_view bytes) { input_ = bytes; }
  bool flush(const Descriptor& to) {
    const std::uint8_t* bytes = nullptr;
    std::size_t size = 0;
    BIO_mem_contents(output_, &bytes, &size);
    if (size == 0) return true;
    const bool sent = to.send({reinterpret_cast<const char*>(bytes), size});
    BIO_reset(output_);
    return sent;
  }

 private:
  static int read(BIO* bio, char* out, int size) {
    std::string_view& input = static_cast<Tls*>(BIO_get_data(bio))->input_;
    BIO_clear_retry_flags(bio);
    if (input.empty()) {
      BIO_set_retry_read(bio);
      return -1;
    }
    const std::size_t taken = input.copy(out, static_cast<std::size_t>(size));
    input.remove_prefix(taken);
    return static_cast<int>(taken);
  }
  static bssl::UniquePtr<BIO_METHOD> input_method() {
    bssl::UniquePtr<BIO_METHOD> made(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "floor"));
    BIO_meth_set_read(made.get(), read);
    return made;
  }
  static const bssl::UniquePtr<BIO_METHOD> kInput;

  bssl::UniquePtr<SSL> ssl_;
  BIO* output_;  // ssl_ owns it
  std::string_view input_;
};

const bssl::UniquePtr<BIO_METHOD> Tls::kInput = input_method();

struct Service {
  int listener;
  std::uint16_t store;
  SSL_CTX* context;
};

bool shake_hands(Tls& tls, const Descriptor& client, std::vector<char>& buffer) {
  while (true) {
    const int done = SSL_do_handshake(tls.ssl());
    if (!tls.flush(client)) return false;
    if (done == 1) return true;
    if (SSL_get_error(tls.ssl(), done) != SSL_ERROR_WANT_READ) return false;
    const std::string_view bytes = client.receive(buffer);
    if (bytes.empty()) return false;
    tls.take(bytes);
  }
}

bool to_store(Tls& tls, const Descriptor& store, std::vector<char>& clear) {
  int size = 0;
  std::size_t filled = 0;
  while (filled < clear.size() &&
         (size = SSL_read(tls.ssl(), clear.data() + filled, static_cast<int>(clear.size() - filled))) > 0) {
    filled += static_cast<std::size_t>(size);
  }
  const bool open = size > 0 || SSL_get_error(tls.ssl(), size) == SSL_ERROR_WANT_READ;
  return store.send({clear.data(), filled}) && open;
}

bool to_client(Tls& tls, const Descriptor& client, std::string_view bytes) {
  if (bytes.empty()) {
    SSL_shutdown(tls.ssl());
    tls.flush(client);
    return false;
  }
  return SSL_write(tls.ssl(), bytes.data(), static_cast<int>(bytes.size())) > 0 && tls.flush(client);
}

void serve(const Service& service, std::vector<char>& buffer, std::vector<char>& clear) {
  const Descriptor client(::accept4(service.listener, nullptr, nullptr, SOCK_CLOEXEC));
  if (client.number() < 0) return;
  Tls tls(service.context);
  if (!shake_hands(tls, client, buffer)) return;
  const Descriptor store = connect_to(service.store);
  std::array<pollfd, 2> both{{{client.number(), POLLIN, 0}, {store.number(), POLLIN, 0}}};
  while (to_store(tls, store, clear)) {  // at first what came with the handshake
    do {
      if (::poll(both.data(), both.size(), -1) < 0) return;
      if (both[1].revents != 0 && !to_client(tls, client, store.receive(buffer))) return;
    } while (both[0].revents == 0);
    const std::string_view bytes = client.receive(buffer);
    if (bytes.empty()) return;
    tls.take(bytes);
  }
}

int listen_on(std::uint16_t port) {
  const int number = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(number, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  const sockaddr_in address = loopback(port);
  if (::bind(number, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) give_up("bind");
  if (::listen(number, 1024) != 0) give_up("listen");
  return number;
}

bssl::UniquePtr<SSL_CTX> context_of(const std::string& chain, const std::string& key) {
  bssl::UniquePtr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()));
  if (SSL_CTX_use_certificate_chain_file(context.get(), chain.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM) != 1) {
    std::fprintf(stderr, "bench_floor: no certificate or key\n");
    std::exit(2);
  }
  SSL_CTX_set_num_tickets(context.get(), 1);
  return context;
}

}  // namespace
}  // namespace postern::bench

int main(int argc, char** argv) {
  using namespace postern::bench;
  std::vector<std::uint16_t> ports, stores;
  std::string chain, key;
  CLI::App app("The least that a proxy which ends TLS can do");
  app.add_option("--port", ports, "Where clients come; its clients go to the store of the same place")
      ->required();
  app.add_option("--store-port", stores)->required();
  app.add_option("--chain", chain)->required();
  app.add_option("--key", key)->required();
  CLI11_PARSE(app, argc, argv);
  const auto context = context_of(chain, key);
  for (std::size_t i = 0; i < ports.size() && i < stores.size(); ++i) {
    const Service service{listen_on(ports[i]), stores[i], context.get()};
    for (int number = 0; number < kThreads; ++number) {
      std::thread([service] {
        std::vector<char> buffer(kBuffer), clear(kBuffer + kRecord);
        while (true) serve(service, buffer, clear);
      }).detach();
    }
  }
  ::pause();
  return 0;
}
