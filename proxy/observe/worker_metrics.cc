#include "proxy/observe/worker_metrics.h"

namespace postern::observe {

LoginResult result_of(Fault fault) {
  switch (fault) {
    case Fault::None:
      return LoginResult::Ok;
    case Fault::StoreRefused:
      return LoginResult::Credentials;
    case Fault::UserLimit:
    case Fault::AddressLimit:
      return LoginResult::Limit;
    case Fault::TooManyAttempts:
    case Fault::TooManyBadCommands:
    case Fault::TooManyCommands:
    case Fault::LineTooLong:
    case Fault::LiteralTooLong:
    case Fault::ProxyHeader:
      return LoginResult::Policy;
    default:
      break;
  }
  switch (describe(fault).blame) {
    case Blame::Credentials:
      return LoginResult::Credentials;
    case Blame::Configuration:
      return LoginResult::Configuration;
    case Blame::Nobody:
    case Blame::Client:
      return LoginResult::Client;
    case Blame::Store:
    case Blame::Source:
    case Blame::Postern:
      return LoginResult::Temporary;
  }
  return LoginResult::Temporary;
}

std::string_view name_of(LoginResult result) {
  switch (result) {
    case LoginResult::Ok:
      return "ok";
    case LoginResult::Credentials:
      return "credentials";
    case LoginResult::Temporary:
      return "temporary";
    case LoginResult::Configuration:
      return "configuration";
    case LoginResult::Limit:
      return "limit";
    case LoginResult::Policy:
      return "policy";
    case LoginResult::Client:
      return "client";
  }
  return "";
}

}  // namespace postern::observe
