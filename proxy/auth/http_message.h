#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parsers/secret.h"

namespace postern::auth {

// Builds a request (RFC 9112). Whatever a name or value holds, its field stays one line: the controls below
// SP go out as %XX.
class HttpRequest {
 public:
  enum class Method : std::uint8_t { Get, Post };

  // `path` has the query; `host` is as http_host() writes it.
  HttpRequest(Method method, std::string_view path, std::string_view host);

  void field(std::string_view name, std::string_view value);

  // No field may follow.
  std::shared_ptr<const Secret> finish() &&;
  std::shared_ptr<const Secret> finish(std::string_view content_type, std::string_view body) &&;

 private:
  Secret bytes_;
};

// RFC 9110 §7.2: "host", "host:8080", "[2001:db8::1]:8080"; the scheme's own port is left out.
std::string http_host(std::string_view host, std::uint16_t port, bool tls);

// An answer without what followed its body. Any of it may be a secret: a service may send a password.
struct HttpAnswer {
  struct Field {
    std::string name;
    Secret value;  // without the white space around it
  };
  unsigned status = 0;
  std::vector<Field> fields;  // of the header alone, in their order
  Secret body;

  // The first field of this name, in whatever case; the view lives as long as the answer.
  std::optional<std::string_view> find(std::string_view name) const;
  bool repeated(std::string_view name) const;
};

// Appends `text`, each byte of which `must` is true as %XX with capital digits (RFC 3986 §2.1).
void append_escaped(Secret& to, std::string_view text, bool (*must)(unsigned char));

}  // namespace postern::auth
