#include "proxy/auth/http_message.h"

#include <algorithm>
#include <utility>

namespace postern::auth {

namespace {

bool is_control(unsigned char byte) { return byte < 0x20; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) { return std::ranges::equal(a, b, {}, lower, lower); }

}  // namespace

void append_escaped(Secret& to, std::string_view text, bool (*must)(unsigned char)) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::size_t plain = 0;  // where the bytes begin that were not appended yet
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (!must(byte)) continue;
    to.append(text.substr(plain, at - plain));
    const char escaped[] = {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    to.append({escaped, sizeof(escaped)});
    plain = at + 1;
  }
  to.append(text.substr(plain));
}

HttpRequest::HttpRequest(Method method, std::string_view path, std::string_view host) {
  bytes_.append(method == Method::Get ? "GET " : "POST ");
  append_escaped(bytes_, path, [](unsigned char byte) { return byte <= 0x20; });
  bytes_.append(" HTTP/1.1\r\n");
  field("Host", host);
}

void HttpRequest::field(std::string_view name, std::string_view value) {
  append_escaped(bytes_, name, is_control);
  bytes_.append(": ");
  append_escaped(bytes_, value, is_control);
  bytes_.append("\r\n");
}

std::shared_ptr<const Secret> HttpRequest::finish() && {
  bytes_.append("\r\n");
  return std::make_shared<const Secret>(std::move(bytes_));
}

std::shared_ptr<const Secret> HttpRequest::finish(std::string_view content_type, std::string_view body) && {
  field("Content-Type", content_type);
  field("Content-Length", std::to_string(body.size()));
  bytes_.append("\r\n");
  bytes_.append(body);
  return std::make_shared<const Secret>(std::move(bytes_));
}

std::string http_host(std::string_view host, std::uint16_t port, bool tls) {
  const bool v6 = host.contains(':');
  std::string text = v6 ? "[" + std::string(host) + "]" : std::string(host);
  if (port != (tls ? 443 : 80)) text += ":" + std::to_string(port);
  return text;
}

std::optional<std::string_view> HttpAnswer::find(std::string_view name) const {
  const auto found =
      std::ranges::find_if(fields, [name](const Field& field) { return same_name(field.name, name); });
  if (found == fields.end()) return std::nullopt;
  return found->value.reveal();
}

bool HttpAnswer::repeated(std::string_view name) const {
  return std::ranges::count_if(fields, [name](const Field& field) { return same_name(field.name, name); }) >
         1;
}

}  // namespace postern::auth
