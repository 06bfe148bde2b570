#include "proxy/tls/pem.h"

#include <cstdlib>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/pem.h>

#include "proxy/tls/failure.h"

namespace postern::tls {

bssl::UniquePtr<BIO> memory_bio(std::string_view text) {
  bssl::UniquePtr<BIO> bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  if (bio == nullptr) std::abort();
  return bio;
}

std::expected<std::vector<bssl::UniquePtr<X509>>, std::string> parse_certificates(const std::string& path,
                                                                                  std::string_view text,
                                                                                  Damaged damaged) {
  const ErrorQueue errors;
  const bssl::UniquePtr<BIO> bio = memory_bio(text);
  std::vector<bssl::UniquePtr<X509>> certificates;
  for (std::size_t blocks = 1;; ++blocks) {
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    const bool whole = PEM_read_bio(bio.get(), &name, &header, &data, &size) == 1;
    const bssl::UniquePtr<char> name_owner(name);
    const bssl::UniquePtr<char> header_owner(header);
    const bssl::UniquePtr<unsigned char> data_owner(data);
    if (!whole) {
      if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE) break;
      return std::unexpected(path + ": block " + std::to_string(blocks) + " is damaged or incomplete");
    }
    const std::string_view kind(name);
    if (kind != PEM_STRING_X509 && kind != PEM_STRING_X509_OLD) continue;
    const unsigned char* begin = data;
    bssl::UniquePtr<X509> certificate(d2i_X509(nullptr, &begin, size));
    if (certificate != nullptr && begin == data + size) {
      certificates.push_back(std::move(certificate));
    } else if (damaged == Damaged::Refuse) {
      return std::unexpected(path + ": block " + std::to_string(blocks) + " is not a certificate");
    }
    ERR_clear_error();
  }
  if (certificates.empty()) return std::unexpected(path + ": holds no certificate in PEM");
  return certificates;
}

}  // namespace postern::tls
