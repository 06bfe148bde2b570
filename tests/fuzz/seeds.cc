#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "parsers/proxy_header.h"
#include "parsers/sasl.h"
#include "tests/fuzz/back_oracle.h"
#include "tests/fuzz/flights.h"
#include "tests/fuzz/front_oracle.h"
#include "tests/transcripts/script.h"

// Writes the fuzz targets' first inputs: those of the dialogues from the transcripts, the others from tables.
//
//   fuzz_seeds <transcripts> <folder>      one folder for each target

namespace {

using namespace postern;
using transcript::Dialogue;
using transcript::Side;
using transcript::Step;

void write(const std::filesystem::path& folder, std::size_t number, std::string_view bytes) {
  std::filesystem::create_directories(folder);
  std::ofstream file(folder / ("seed-" + std::to_string(number)), std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// Runs of input with a mark wherever something happens between them.
std::string flights_of(const Dialogue& dialogue) {
  std::string flights;
  bool between = false;
  for (const Step& step : dialogue.steps) {
    if (step.kind != Step::Kind::Input) {
      between = !flights.empty();
      continue;
    }
    if (std::exchange(between, false)) flights += fuzz::kNextFlight;
    flights += step.bytes;
  }
  return flights;
}

unsigned flag(const Dialogue& dialogue, const char* name, unsigned option) {
  return dialogue.setup.at(name) == "yes" ? option : 0;
}

std::string front_seed(const Dialogue& dialogue) {
  unsigned options =
      flag(dialogue, "secure", fuzz::kFrontSecure) | flag(dialogue, "starttls", fuzz::kFrontStartTls);
  if (dialogue.setup.at("mechanisms").contains("plain")) options |= fuzz::kFrontPlain;
  if (dialogue.setup.at("mechanisms").contains("login")) options |= fuzz::kFrontLogin;
  for (const char* name : {"xoauth2", "oauthbearer", "external"}) {
    if (dialogue.setup.at("mechanisms").contains(name)) options |= fuzz::kFrontSasl;
  }
  if (!dialogue.setup.at("relayed").empty()) options |= fuzz::kFrontSasl;
  if (!dialogue.setup.at("line").empty() || !dialogue.setup.at("literal").empty()) {
    options |= fuzz::kFrontTightLimits;
  }
  if (dialogue.setup.at("bad_commands") == "1") options |= fuzz::kFrontOneBadCommand;
  if (!dialogue.setup.at("capabilities").empty()) options |= fuzz::kFrontStoreCapabilities;
  unsigned answers = 0;
  unsigned logins = 0;
  for (const Step& step : dialogue.steps) {
    if (step.verb == "accept") answers |= 1U << logins % 8;
    if (step.verb == "accept" || step.verb == "reject" || step.verb == "challenge") ++logins;
  }
  return std::string{static_cast<char>(options), static_cast<char>(answers), '\x07'} + flights_of(dialogue);
}

std::string back_seed(const Dialogue& dialogue) {
  unsigned options =
      flag(dialogue, "secure", fuzz::kBackSecure) | flag(dialogue, "starttls", fuzz::kBackStartTls) |
      flag(dialogue, "forward_id", fuzz::kBackForward) |
      flag(dialogue, "forward_xclient", fuzz::kBackForward) | flag(dialogue, "probe", fuzz::kBackProbe);
  if (!dialogue.setup.at("authorization").empty()) options |= fuzz::kBackMaster;
  if (dialogue.setup.at("password").find_first_of("\"\\{ ") != std::string::npos) {
    options |= fuzz::kBackOddCredentials;
  }
  if (dialogue.setup.at("password").size() > 100) options |= fuzz::kBackLongCredentials;
  unsigned mechanism = dialogue.setup.at("forward").empty() ? 0U : fuzz::kBackForwardFields;
  if (dialogue.setup.at("mechanism") == "xoauth2") mechanism |= fuzz::kBackXOAuth2;
  if (dialogue.setup.at("mechanism") == "oauthbearer") mechanism |= fuzz::kBackOAuthBearer;
  for (const Step& step : dialogue.steps) {
    if (step.verb == "give_up") mechanism |= fuzz::kBackGiveUp;
  }
  return std::string{static_cast<char>(options), static_cast<char>(mechanism), '\x07'} + flights_of(dialogue);
}

void write_tables(const std::filesystem::path& folder) {
  ProxyHeader v4;
  v4.has_addresses = true;
  v4.source = *Endpoint::parse("192.0.2.1:12345");
  v4.destination = *Endpoint::parse("198.51.100.7:993");
  ProxyHeader v6 = v4;
  v6.source = *Endpoint::parse("[2001:db8::1]:12345");
  v6.destination = *Endpoint::parse("[2001:db8::2]:993");
  v6.authority = "mail.example";
  v6.secure = true;
  v6.tls_version = "TLSv1.3";
  v6.tls_cipher = "TLS_AES_128_GCM_SHA256";
  const std::vector<std::pair<const char*, std::vector<std::string>>> tables{
      {"fuzz_proxy_header",
       {write_proxy_v1(v4), write_proxy_v1(v6), write_proxy_v1({}), write_proxy_v2(v4), write_proxy_v2(v6),
        write_proxy_v2({})}},
      {"fuzz_base64_sasl",
       {"AGFsaWNlAHNlY3JldA==", "Zm9v", "Zm8=", std::string(write_plain("", "alice", "secret").reveal()),
        std::string(write_plain("bob", "alice", "secret").reveal()),
        std::string(write_plain("alice", "alice", "secret").reveal()), "PLAIN", "login",
        "user=alice\x01"
        "auth=Bearer tok\x01\x01",
        "n,a=al=2Cice,\x01"
        "host=x\x01"
        "auth=Bearer tok\x01\x01"}},
      {"fuzz_boundary",
       {"\x01* 1 FETCH (BODY[] {5}\r\na\r\nb\n)\r\na OK done\r\n", "\x02* OK [ALERT] see {5}\r\n+ \r\n",
        "\x03* LIST () \"/\" ~{3+}\r\nabc\r\n* BYE {\r\n"}},
      {"fuzz_line_buffer",
       {std::string("\0\x08one\r\ntwo\x01\x05\x02\x02\x03\x04z\n\r\n\x01\x01\x01\x09", 25)}},
      {"fuzz_address",
       {"192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "192.0.2.1:993", "[2001:db8::1]:993", "10.0.0.0/8",
        "2001:db8::/32", "::ffff:10.0.0.0/104"}},
  };
  for (const auto& [target, seeds] : tables) {
    for (std::size_t i = 0; i < seeds.size(); ++i) write(folder / target, i, seeds[i]);
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    std::cerr << "usage: fuzz_seeds <transcripts> <folder>\n";
    return 2;
  }
  const std::filesystem::path folder = arguments[2];
  const transcript::Scripts scripts = transcript::read_scripts(arguments[1]);
  std::size_t number = 0;
  for (const Dialogue& dialogue : scripts.dialogues) {
    const bool front = dialogue.side == Side::Front;
    const std::string target =
        "fuzz_" + std::string(name_of(dialogue.protocol)) + (front ? "_front" : "_back");
    write(folder / target, number++, front ? front_seed(dialogue) : back_seed(dialogue));
  }
  write_tables(folder);
  std::cout << number << " dialogues\n";
  return 0;
}
