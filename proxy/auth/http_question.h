#pragma once

#include <memory>
#include <string_view>

#include "conf/model.h"
#include "parsers/secret.h"
#include "proxy/auth/source.h"

namespace postern::auth {

// nginx's request for one login: its fields, in its order and meaning. README.md has what differs. The
// mechanism is not Relayed.
std::shared_ptr<const Secret> write_question(const conf::HttpSource& source, const Question& question);

}  // namespace postern::auth
