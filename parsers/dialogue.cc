#include "parsers/dialogue.h"

#include <utility>

#include "parsers/imap/back.h"
#include "parsers/imap/front.h"
#include "parsers/pop3/back.h"
#include "parsers/pop3/front.h"

namespace postern {

std::unique_ptr<FrontDialogue> make_front(Protocol protocol, FrontSetup setup) {
  if (protocol == Protocol::Imap) return std::make_unique<ImapFront>(std::move(setup));
  return std::make_unique<Pop3Front>(std::move(setup));
}

std::unique_ptr<BackDialogue> make_back(Protocol protocol, BackSetup setup) {
  if (protocol == Protocol::Imap) return std::make_unique<ImapBack>(std::move(setup));
  return std::make_unique<Pop3Back>(std::move(setup));
}

}  // namespace postern
