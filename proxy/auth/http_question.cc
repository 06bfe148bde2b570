#include "proxy/auth/http_question.h"

#include <string>

#include "proxy/auth/http_message.h"
#include "proxy/tls/peer_certificate.h"

namespace postern::auth {

namespace {

std::string_view method_of(Mechanism mechanism) {
  switch (mechanism) {
    case Mechanism::XOAuth2:
    case Mechanism::OAuthBearer:
    case Mechanism::External:
      return name_of(mechanism);
    default:
      return "plain";
  }
}

bool nginx_escapes(unsigned char byte) { return byte <= ' ' || byte == '%'; }
bool full_escapes(unsigned char byte) { return nginx_escapes(byte) || byte >= 0x7f; }

// RFC 3986 §2.3: all but the unreserved characters.
bool is_reserved(unsigned char byte) {
  const bool letter = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
  const bool digit = byte >= '0' && byte <= '9';
  return !letter && !digit &&
         std::string_view("-._~").find(static_cast<char>(byte)) == std::string_view::npos;
}

Secret escaped(std::string_view text, bool (*must)(unsigned char)) {
  Secret result;
  append_escaped(result, text, must);
  return result;
}

void add_endpoint(HttpRequest& request, const std::string& prefix, const Endpoint& endpoint) {
  request.field(prefix + "Addr", endpoint.address.to_string());
  request.field(prefix + "Port", std::to_string(endpoint.port));
}

void add_certificate(HttpRequest& request, const tls::PeerCertificate& certificate, bool whole) {
  request.field("Auth-SSL-Verify", "SUCCESS");
  request.field("Auth-SSL-Subject", certificate.subject);
  request.field("Auth-SSL-Issuer", certificate.issuer);
  request.field("Auth-SSL-Serial", certificate.serial);
  request.field("Auth-SSL-Fingerprint", certificate.fingerprint);
  if (whole) request.field("Auth-SSL-Cert", escaped(certificate.pem, is_reserved).reveal());
}

}  // namespace

std::shared_ptr<const Secret> write_question(const conf::HttpSource& source, const Question& question) {
  const Credentials& credentials = *question.credentials;
  const auto must = source.escape == conf::HttpSource::Escape::Nginx ? nginx_escapes : full_escapes;

  HttpRequest request(HttpRequest::Method::Get, source.url.path,
                      http_host(source.url.host, source.url.port, source.url.tls));
  request.field("Auth-Method", method_of(credentials.mechanism));
  request.field("Auth-User", escaped(credentials.user, must).reveal());
  request.field("Auth-Pass", escaped(credentials.password.reveal(), must).reveal());
  request.field("Auth-Protocol", question.protocol == Protocol::Imap ? "imap" : "pop3");
  request.field("Auth-Login-Attempt", std::to_string(question.attempt));
  request.field("Client-IP", question.client.address.to_string());
  if (question.by_proxy_header) {
    add_endpoint(request, "Proxy-Protocol-", question.client);
    add_endpoint(request, "Proxy-Protocol-Server-", question.local);
  }
  if (question.secure) {
    request.field("Auth-SSL", "on");
    request.field("Auth-SSL-Protocol", question.tls_version);
    request.field("Auth-SSL-Cipher", question.tls_cipher);
    if (question.certificate != nullptr)
      add_certificate(request, *question.certificate, source.pass_certificate);
  }
  for (const auto& [name, value] : source.headers) request.field(name, value);
  return std::move(request).finish();
}

}  // namespace postern::auth
