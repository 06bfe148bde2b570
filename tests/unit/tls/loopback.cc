#include "tests/unit/tls/loopback.h"

#include <doctest/doctest.h>
#include <openssl/bio.h>
#include <openssl/err.h>

#include "tests/unit/tls/authority.h"

namespace postern::tls {

RawEnd::RawEnd(SSL_CTX* context, Side side) : ssl_(SSL_new(context)) {
  SSL_set_bio(ssl(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_app_data(ssl(), this);
  if (side == Side::Client) {
    SSL_set_connect_state(ssl());
  } else {
    SSL_set_accept_state(ssl());
  }
}

Status RawEnd::handshake(std::string_view input, std::string& output) {
  BIO_write(SSL_get_rbio(ssl()), input.data(), static_cast<int>(input.size()));
  const int result = SSL_do_handshake(ssl());
  flush(output);
  const int error = SSL_get_error(ssl(), result);
  ERR_clear_error();
  if (result == 1) return Status::Done;
  return error == SSL_ERROR_WANT_READ ? Status::NeedInput : Status::Failed;
}

std::string RawEnd::decrypt(std::string_view input, std::string& output) {
  BIO_write(SSL_get_rbio(ssl()), input.data(), static_cast<int>(input.size()));
  std::string plain;
  char chunk[20000];
  int got = 0;
  while ((got = SSL_read(ssl(), chunk, sizeof chunk)) > 0) plain.append(chunk, static_cast<std::size_t>(got));
  flush(output);
  ERR_clear_error();
  return plain;
}

void RawEnd::encrypt(std::string_view plain, std::string& output) {
  REQUIRE(SSL_write(ssl(), plain.data(), static_cast<int>(plain.size())) == static_cast<int>(plain.size()));
  flush(output);
}

void RawEnd::flush(std::string& output) {
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
  REQUIRE(BIO_mem_contents(SSL_get_wbio(ssl()), &data, &size) == 1);
  output.append(reinterpret_cast<const char*>(data), size);
  BIO_reset(SSL_get_wbio(ssl()));
}

bssl::UniquePtr<SSL_CTX> raw_client_context(int maximum) {
  bssl::UniquePtr<SSL_CTX> context(SSL_CTX_new(TLS_method()));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context.get(), static_cast<std::uint16_t>(maximum));
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context.get(), [](SSL* ssl, SSL_SESSION* session) {
    static_cast<RawEnd*>(SSL_get_app_data(ssl))->session.reset(session);
    return 1;
  });
  return context;
}

std::string peer_certificate(const SSL* ssl) {
  const bssl::UniquePtr<X509> certificate(SSL_get_peer_certificate(ssl));
  return certificate != nullptr ? pem_of(certificate.get()) : "";
}

std::string decrypt_all(Stream& stream, std::string_view input, std::string& output, Status expected) {
  std::string plain(input.size() + kDecryptSlack, '\0');
  std::size_t size = 0;
  const Status status = stream.decrypt(input, plain, size, output);
  CAPTURE(stream.failure_text());
  REQUIRE(status == expected);
  plain.resize(size);
  return plain;
}

std::string random_bytes(std::mt19937& random, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

}  // namespace postern::tls
