#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "parsers/secret.h"
#include "proxy/net/reactor.h"
#include "proxy/net/transport.h"
#include "proxy/tls/stream.h"

namespace postern {

// One side of a session: a connection, TLS over it when there is any, and the bytes that the socket did not
// take yet. Reading and writing are tried at once; an idle channel holds no buffer.
class Channel {
 public:
  struct Reading {
    enum class State : std::uint8_t {
      Open,
      End,        // the peer has ended its direction in good order
      Truncated,  // the connection ended without TLS's goodbye
      Failed,     // the connection broke, or TLS failed
    };
    std::string_view bytes;     // in the scratch memory: valid until the next read or write of any channel
    State state = State::Open;  // after `bytes`
  };

  Channel(net::Reactor& reactor, std::unique_ptr<net::Transport> transport);
  Channel(Channel&&) noexcept = default;
  Channel& operator=(Channel&&) noexcept = default;

  // Begins TLS. The handshake is driven by handshake(); read() and write() are allowed after it.
  void begin_tls(tls::Stream stream);

  // Goes on with the handshake: with what the socket has, or with bytes that were read from it before. Bytes
  // that followed the handshake wait for read(). After Signing, nothing is to be read until the work of
  // tls().signing() is done; then an empty `received` goes on.
  tls::Status handshake();
  tls::Status handshake(std::string_view received);

  // `last`: the peer's end is expected right behind its words, and is looked for in the same breath.
  Reading read(bool last = false);
  // What waits inside TLS since the handshake; as read(), without touching the socket.
  Reading read_early();

  // Throws away what arrives, ciphertext or not. False: the peer has ended or broken the connection.
  bool drain();

  // Writes and keeps what the socket did not take: see unwritten(). False: the connection is broken.
  bool write(std::string_view bytes);
  // The same without TLS, though TLS may follow: the PROXY header.
  bool write_clear(std::string_view bytes);
  // The socket is writable again. False: the connection is broken.
  bool flush();

  // Says that nothing more comes from us: TLS's goodbye and FIN, after the bytes that wait. Without the
  // goodbye when what we relayed was cut off: the peer shall not take it for whole.
  enum class Ending : std::uint8_t { Whole, Cut };
  void finish(Ending ending = Ending::Whole) { finish(ending, {}); }
  // The same with the last bytes before it, which leave together with TLS's goodbye. False: the connection is
  // broken.
  bool finish(Ending ending, std::string_view last);
  bool finished() const { return finished_; }

  // Bytes that wait for the socket (ciphertext when there is TLS).
  std::size_t unwritten() const { return pending_ ? pending_->left().size() : 0; }

  void want_read(bool wanted);
  // Nothing is told of it until heed(), or until what is wanted changes.
  void ignore() { transport_->want(false, false); }
  void heed() { update_interest(); }
  void break_off() { transport_->break_off(); }
  // A connection that was dialled is told of as writable when it stands or has failed; then connect_error()
  // says which: an errno, 0 when it stands.
  void await_connection();
  int connect_error();
  Endpoint local() const { return transport_->local(); }

  bool secure() const { return tls_.has_value(); }
  const tls::Stream& tls() const { return *tls_; }
  int error() const { return error_; }  // the errno that broke the connection; 0: none

 private:
  // What the socket did not take; counted in Reactor::unwritten.
  class Pending {
   public:
    Pending(net::Reactor& reactor, bool clear_text) : reactor_(reactor), clear_text_(clear_text) {}
    Pending(const Pending&) = delete;
    ~Pending();
    void add(std::string_view bytes);
    void sent(std::size_t size);
    std::string_view left() const { return std::string_view(bytes_).substr(sent_); }

   private:
    net::Reactor& reactor_;
    const bool clear_text_;  // it may hold a password: it is wiped
    std::string bytes_;
    std::size_t sent_ = 0;
  };
  Reading decrypt(std::string_view input);
  void update_interest();

  net::Reactor* reactor_;
  std::unique_ptr<net::Transport> transport_;
  std::optional<tls::Stream> tls_;
  std::unique_ptr<Pending> pending_;
  int error_ = 0;
  bool wants_read_ = false;
  bool connecting_ = false;
  bool finishing_ = false;  // FIN follows what is pending
  bool finished_ = false;
};

// Bytes of a reading that may hold a password die here, not when the scratch memory is used again.
void wipe_scratch(std::string_view bytes);

}  // namespace postern
