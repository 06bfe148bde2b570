#pragma once

#include <expected>
#include <openssl/bio.h>
#include <openssl/x509.h>
#include <string>
#include <string_view>
#include <vector>

namespace postern::tls {

// A BIO to read `text`, which must outlive it.
bssl::UniquePtr<BIO> memory_bio(std::string_view text);

enum class Damaged { Refuse, Skip };

// The certificates of a PEM file in their order, at least one; other blocks are passed over. A file that ends
// inside a block is always an error; Damaged says what to do with a whole block that holds no certificate.
// The error is one sentence that begins with `path`.
std::expected<std::vector<bssl::UniquePtr<X509>>, std::string> parse_certificates(const std::string& path,
                                                                                  std::string_view text,
                                                                                  Damaged damaged);

}  // namespace postern::tls
