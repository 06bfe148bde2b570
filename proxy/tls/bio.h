#pragma once

#include <openssl/bio.h>

#include "proxy/tls/state.h"

namespace postern::tls {

// A BIO for both directions that moves bytes between BoringSSL and the input and output of `state`, which
// must outlive it. It holds no buffer. Reading past the input asks to be tried again.
bssl::UniquePtr<BIO> new_bio(Stream::State& state);

Stream::State& state_of(BIO* bio);

}  // namespace postern::tls
