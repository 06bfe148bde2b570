#include "parsers/pop3/capa.h"

#include <doctest/doctest.h>
#include <string>

using namespace postern;
using namespace postern::pop3;

TEST_CASE("shared capabilities keep their order and lose what Postern decides") {
  CHECK(shared_capabilities("") == "");
  CHECK(shared_capabilities("TOP") == "TOP\r\n");
  CHECK(shared_capabilities("TOP\nUIDL\n") == "TOP\r\nUIDL\r\n");
  CHECK(shared_capabilities("TOP\r\nUIDL\r\n") == "TOP\r\nUIDL\r\n");
  for (const char* ours : {"USER", "SASL PLAIN", "STLS", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING",
                           "IMPLEMENTATION x y", "XCLIENT", "UTF8", "UTF8 USER", "LANG", "sasl", "Stls"}) {
    CAPTURE(ours);
    CHECK(shared_capabilities(ours) == "");
    CHECK(shared_capabilities(std::string("TOP\n") + ours + "\nUIDL") == "TOP\r\nUIDL\r\n");
  }
  CHECK(shared_capabilities("USERS\nSASLX\nST") == "USERS\r\nSASLX\r\nST\r\n");
}

TEST_CASE("the first line of a keyword counts") {
  CHECK(shared_capabilities("EXPIRE 0\nexpire NEVER\nEXPIRE 0") == "EXPIRE 0\r\n");
}

TEST_CASE("what is no capability line is left out") {
  CHECK(shared_capabilities("\n\n.\n..\n.X\n X\nA\tB\n\x7f\n\xc3\xa4\nOK") == "OK\r\n");
  CHECK(shared_capabilities(std::string(510, 'X')) == std::string(510, 'X') + "\r\n");
  CHECK(shared_capabilities(std::string(511, 'X')) == "");
}

TEST_CASE("the list ends in a dot and holds what is offered") {
  CHECK(write_capa({}) ==
        "+OK Capability list follows.\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n"
        "IMPLEMENTATION Postern\r\n.\r\n");
  CHECK(write_capa(
            {.user = true, .mechanisms = {{Mechanism::Login, "LOGIN"}}, .stls = true, .shared = "TOP\r\n"}) ==
        "+OK Capability list follows.\r\nUSER\r\nSASL LOGIN\r\nSTLS\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n"
        "PIPELINING\r\nTOP\r\nIMPLEMENTATION Postern\r\n.\r\n");
}

TEST_CASE("a mechanism is found as a whole word of a SASL line") {
  CHECK(lists_mechanism("TOP\nSASL PLAIN XOAUTH2\nUIDL", "XOAUTH2"));
  CHECK(lists_mechanism("sasl xoauth2", "XOAUTH2"));
  CHECK(lists_mechanism("SASL  PLAIN  XOAUTH2 ", "XOAUTH2"));
  for (const char* lines : {"", "SASL", "SASL ", "XOAUTH2", "SASL XOAUTH2X", "SASLX XOAUTH2", "TOP XOAUTH2",
                            "SASL PLAIN\nXOAUTH2", "IMPLEMENTATION SASL XOAUTH2"}) {
    CAPTURE(lines);
    CHECK_FALSE(lists_mechanism(lines, "XOAUTH2"));
  }
}
