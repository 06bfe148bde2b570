#include "parsers/proxy_header.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

namespace postern {

namespace {

using Result = std::variant<ProxyHeaderIncomplete, ProxyHeaderInvalid, ProxyHeaderComplete>;

constexpr std::string_view kV1Start = "PROXY ";
constexpr std::size_t kV1Max = 107;  // with CRLF

constexpr std::string_view kV2Signature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kV2Fixed = 16;
constexpr std::size_t kV2BlockMax = kProxyHeaderMax - kV2Fixed;

enum V2Command : std::uint8_t { kLocal = 0x0, kProxy = 0x1 };
enum V2Family : std::uint8_t { kUnspecified = 0x0, kInet = 0x1, kInet6 = 0x2, kUnix = 0x3 };
constexpr std::uint8_t kV2Version = 0x20;
constexpr std::uint8_t kStream = 0x1;

enum V2Type : std::uint8_t {
  kAuthority = 0x02,
  kCrc32c = 0x03,
  kSsl = 0x20,
  kSslVersion = 0x21,
  kSslCipher = 0x23,
};
constexpr std::uint8_t kClientSsl = 0x01;
constexpr std::size_t kSslFixed = 5;  // client, verify

std::uint8_t octet(std::string_view bytes, std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); }

std::uint16_t number16(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(octet(bytes, at) << 8 | octet(bytes, at + 1));
}

void put16(std::string& out, std::size_t number) {
  out += static_cast<char>(number >> 8);
  out += static_cast<char>(number);
}

// ------------------------------------------------------------------------------------------------------- v1

// Put together in the form that Endpoint reads, so that both are checked there.
std::optional<Endpoint> parse_v1_endpoint(bool v6, std::string_view host, std::string_view port) {
  if (v6 != host.contains(':')) return std::nullopt;
  std::string text;
  text += v6 ? "[" : "";
  text += host;
  text += v6 ? "]:" : ":";
  text += port;
  return Endpoint::parse(text);
}

Result parse_v1_line(std::string_view line) {
  const std::size_t size = line.size() + 2;
  std::string_view rest = line.substr(kV1Start.size());
  if (rest == "UNKNOWN" || rest.starts_with("UNKNOWN "))
    return ProxyHeaderComplete{.header = {}, .size = size};

  std::array<std::string_view, 5> words;  // family, source, destination, source port, destination port
  for (std::string_view& word : words) {
    const std::size_t end = &word == &words.back() ? rest.size() : rest.find(' ');
    if (end == std::string_view::npos) return ProxyHeaderInvalid{"a field is missing"};
    word = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (words[0] != "TCP4" && words[0] != "TCP6") return ProxyHeaderInvalid{"unknown family"};
  const bool v6 = words[0] == "TCP6";
  const auto source = parse_v1_endpoint(v6, words[1], words[3]);
  const auto destination = parse_v1_endpoint(v6, words[2], words[4]);
  if (!source || !destination) return ProxyHeaderInvalid{"malformed address or port"};
  ProxyHeader header;
  header.has_addresses = true;
  header.source = *source;
  header.destination = *destination;
  return ProxyHeaderComplete{.header = std::move(header), .size = size};
}

Result parse_v1(std::string_view bytes) {
  const std::string_view window = bytes.substr(0, kV1Max);
  const std::size_t end = window.find_first_of("\r\n");
  if (end == std::string_view::npos) {
    if (window.size() == kV1Max) return ProxyHeaderInvalid{"longer than 107 bytes"};
    return ProxyHeaderIncomplete{};
  }
  if (window[end] == '\n') return ProxyHeaderInvalid{"LF without CR"};
  if (end + 1 == window.size()) {
    if (window.size() == kV1Max) return ProxyHeaderInvalid{"longer than 107 bytes"};
    return ProxyHeaderIncomplete{};
  }
  if (window[end + 1] != '\n') return ProxyHeaderInvalid{"CR without LF"};
  return parse_v1_line(window.substr(0, end));
}

// ------------------------------------------------------------------------------------------------------- v2

struct Tlv {
  std::uint8_t type;
  std::string_view value;
};

// nullopt: a length runs over the end.
std::optional<std::vector<Tlv>> split_tlvs(std::string_view bytes) {
  std::vector<Tlv> tlvs;
  while (!bytes.empty()) {
    if (bytes.size() < 3) return std::nullopt;
    const std::size_t size = number16(bytes, 1);
    if (bytes.size() - 3 < size) return std::nullopt;
    tlvs.push_back({octet(bytes, 0), bytes.substr(3, size)});
    bytes.remove_prefix(3 + size);
  }
  return tlvs;
}

// Castagnoli's polynomial, reflected (RFC 3720 appendix B.4).
std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t sum = ~std::uint32_t{0};
  for (const char byte : bytes) {
    sum ^= static_cast<std::uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) sum = sum >> 1 ^ (sum & 1 ? 0x82f63b78U : 0U);
  }
  return ~sum;
}

bool crc_matches(std::string_view header, std::string_view value) {
  std::string zeroed(header);
  const std::size_t at = static_cast<std::size_t>(value.data() - header.data());
  zeroed.replace(at, value.size(), value.size(), '\0');
  const std::uint32_t told = static_cast<std::uint32_t>(number16(value, 0)) << 16 | number16(value, 2);
  return crc32c(zeroed) == told;
}

// These texts reach the log and the store.
bool printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

std::optional<ProxyHeaderInvalid> set_once(std::string& field, std::string_view value) {
  if (!field.empty()) return ProxyHeaderInvalid{"a field is there twice"};
  if (value.size() > 255 || !printable(value)) return ProxyHeaderInvalid{"a field is not printable ASCII"};
  field = value;
  return std::nullopt;
}

std::optional<ProxyHeaderInvalid> read_ssl(ProxyHeader& header, std::string_view value) {
  if (value.size() < kSslFixed) return ProxyHeaderInvalid{"the SSL field is too short"};
  const auto tlvs = split_tlvs(value.substr(kSslFixed));
  if (!tlvs) return ProxyHeaderInvalid{"a field runs over the end"};
  header.secure = (octet(value, 0) & kClientSsl) != 0;
  for (const Tlv& tlv : *tlvs) {
    std::optional<ProxyHeaderInvalid> invalid;
    if (tlv.type == kSslVersion) invalid = set_once(header.tls_version, tlv.value);
    if (tlv.type == kSslCipher) invalid = set_once(header.tls_cipher, tlv.value);
    if (invalid) return invalid;
  }
  return std::nullopt;
}

std::optional<ProxyHeaderInvalid> read_tlvs(ProxyHeader& header, std::string_view whole,
                                            std::string_view bytes) {
  const auto tlvs = split_tlvs(bytes);
  if (!tlvs) return ProxyHeaderInvalid{"a field runs over the end"};
  bool ssl_seen = false;
  for (const Tlv& tlv : *tlvs) {
    std::optional<ProxyHeaderInvalid> invalid;
    if (tlv.type == kAuthority) {
      invalid = set_once(header.authority, tlv.value);
    } else if (tlv.type == kCrc32c) {
      if (tlv.value.size() != 4 || !crc_matches(whole, tlv.value)) invalid = {"the checksum is wrong"};
    } else if (tlv.type == kSsl) {
      invalid = ssl_seen ? ProxyHeaderInvalid{"a field is there twice"} : read_ssl(header, tlv.value);
      ssl_seen = true;
    }
    if (invalid) return invalid;
  }
  return std::nullopt;
}

template <std::size_t Size>
Endpoint read_endpoint(Address (*make)(const std::uint8_t (&)[Size]), std::string_view address,
                       std::uint16_t port) {
  std::uint8_t octets[Size];
  std::ranges::copy(address.substr(0, Size), octets);
  return {.address = make(octets), .port = port};
}

Result parse_v2_block(std::string_view whole, std::uint8_t family, std::uint8_t transport) {
  const std::string_view block = whole.substr(kV2Fixed);
  ProxyHeaderComplete complete{.header = {}, .size = whole.size()};
  ProxyHeader& header = complete.header;

  constexpr std::size_t sizes[] = {0, 12, 36, 216};
  const std::size_t addresses = sizes[family];
  if (block.size() < addresses) return ProxyHeaderInvalid{"too short for its addresses"};
  // A family or a transport that is no mail client's: the connection's own addresses count.
  header.has_addresses = transport == kStream && (family == kInet || family == kInet6);
  if (header.has_addresses && family == kInet) {
    header.source = read_endpoint<4>(Address::v4, block, number16(block, 8));
    header.destination = read_endpoint<4>(Address::v4, block.substr(4), number16(block, 10));
  } else if (header.has_addresses) {
    header.source = read_endpoint<16>(Address::v6, block, number16(block, 32));
    header.destination = read_endpoint<16>(Address::v6, block.substr(16), number16(block, 34));
  }
  if (const auto invalid = read_tlvs(header, whole, block.substr(addresses))) return *invalid;
  return complete;
}

Result parse_v2(std::string_view bytes) {
  // Each octet of the fixed part is judged as soon as it is there.
  if (bytes.size() > 12) {
    if ((octet(bytes, 12) & 0xf0) != kV2Version) return ProxyHeaderInvalid{"unknown version"};
    if ((octet(bytes, 12) & 0x0f) > kProxy) return ProxyHeaderInvalid{"unknown command"};
  }
  if (bytes.size() > 13 && ((octet(bytes, 13) >> 4) > kUnix || (octet(bytes, 13) & 0x0f) > 2)) {
    return ProxyHeaderInvalid{"unknown family or transport"};
  }
  if (bytes.size() < kV2Fixed) return ProxyHeaderIncomplete{};
  const std::size_t size = number16(bytes, 14);
  if (size > kV2BlockMax) return ProxyHeaderInvalid{"too long"};
  if (bytes.size() - kV2Fixed < size) return ProxyHeaderIncomplete{};

  const auto family = static_cast<std::uint8_t>(octet(bytes, 13) >> 4);
  if ((octet(bytes, 12) & 0x0f) == kLocal || family == kUnspecified) {
    return ProxyHeaderComplete{.header = {}, .size = kV2Fixed + size};
  }
  return parse_v2_block(bytes.substr(0, kV2Fixed + size), family, octet(bytes, 13) & 0x0f);
}

// -------------------------------------------------------------------------------------------------- writing

bool writable(const ProxyHeader& header) {
  const Address::Family family = header.source.address.family;
  return header.has_addresses && family != Address::Family::None &&
         family == header.destination.address.family;
}

void put_tlv(std::string& out, V2Type type, std::string_view value) {
  out += static_cast<char>(type);
  put16(out, value.size());
  out += value;
}

void put_address(std::string& out, const Address& address) {
  const std::size_t size = address.family == Address::Family::V4 ? 4 : 16;
  for (std::size_t i = 0; i < size; ++i) out += static_cast<char>(address.bytes[i]);
}

std::string write_block(const ProxyHeader& header) {
  std::string block;
  put_address(block, header.source.address);
  put_address(block, header.destination.address);
  put16(block, header.source.port);
  put16(block, header.destination.port);
  if (!header.authority.empty()) put_tlv(block, kAuthority, header.authority);
  if (header.secure) {
    std::string ssl{static_cast<char>(kClientSsl), 0, 0, 0, 1};  // 1: no client certificate was verified
    if (!header.tls_version.empty()) put_tlv(ssl, kSslVersion, header.tls_version);
    if (!header.tls_cipher.empty()) put_tlv(ssl, kSslCipher, header.tls_cipher);
    put_tlv(block, kSsl, ssl);
  }
  return block;
}

}  // namespace

Result parse_proxy_header(std::string_view bytes) {
  const auto starts_like = [bytes](std::string_view start) {
    const std::size_t size = std::min(bytes.size(), start.size());
    return bytes.substr(0, size) == start.substr(0, size);
  };
  if (starts_like(kV2Signature)) {
    return bytes.size() < kV2Signature.size() ? Result(ProxyHeaderIncomplete{}) : parse_v2(bytes);
  }
  if (starts_like(kV1Start)) {
    return bytes.size() < kV1Start.size() ? Result(ProxyHeaderIncomplete{}) : parse_v1(bytes);
  }
  return ProxyHeaderInvalid{"no PROXY header"};
}

std::string write_proxy_v1(const ProxyHeader& header) {
  if (!writable(header)) return "PROXY UNKNOWN\r\n";
  std::string line(kV1Start);
  line += header.source.address.family == Address::Family::V4 ? "TCP4 " : "TCP6 ";
  line += header.source.address.to_string() + " " + header.destination.address.to_string() + " " +
          std::to_string(header.source.port) + " " + std::to_string(header.destination.port) + "\r\n";
  return line;
}

std::string write_proxy_v2(const ProxyHeader& header) {
  const bool proxy = writable(header);
  const V2Family family = !proxy                                                ? kUnspecified
                          : header.source.address.family == Address::Family::V4 ? kInet
                                                                                : kInet6;
  const std::string block = proxy ? write_block(header) : "";
  std::string bytes(kV2Signature);
  bytes += static_cast<char>(kV2Version | (proxy ? kProxy : kLocal));
  bytes += static_cast<char>(family << 4 | (proxy ? kStream : 0));
  put16(bytes, block.size());
  return bytes + block;
}

}  // namespace postern
