#include "proxy/tls/bio.h"

#include <algorithm>
#include <cstdlib>

namespace postern::tls {
namespace {

int read(BIO* bio, char* out, int size) {
  BIO_clear_retry_flags(bio);
  std::string_view& input = state_of(bio).input;
  const std::size_t taken = std::min(input.size(), static_cast<std::size_t>(size));
  if (taken == 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  std::copy_n(input.data(), taken, out);
  input.remove_prefix(taken);
  return static_cast<int>(taken);
}

int write(BIO* bio, const char* in, int size) {
  state_of(bio).output->append(in, static_cast<std::size_t>(size));
  return size;
}

long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

const BIO_METHOD* method() {
  static const BIO_METHOD* const kMethod = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "postern stream");
    if (made == nullptr) std::abort();
    BIO_meth_set_read(made, read);
    BIO_meth_set_write(made, write);
    BIO_meth_set_ctrl(made, control);
    return made;
  }();
  return kMethod;
}

}  // namespace

bssl::UniquePtr<BIO> new_bio(Stream::State& state) {
  bssl::UniquePtr<BIO> bio(BIO_new(method()));
  if (bio == nullptr) std::abort();
  BIO_set_data(bio.get(), &state);
  BIO_set_init(bio.get(), 1);
  return bio;
}

Stream::State& state_of(BIO* bio) { return *static_cast<Stream::State*>(BIO_get_data(bio)); }

}  // namespace postern::tls
