#pragma once

#include <array>

namespace postern::auth {

// Hashes of "secret" by every supported method, as cheap as each may be.
struct KnownHash {
  const char* scheme;
  const char* hash;
};
inline constexpr std::array kEveryHash{
    KnownHash{"BLF-CRYPT", "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"},
    KnownHash{"BLF-CRYPT", "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"},
    KnownHash{"SHA512-CRYPT",
              "$6$rounds=1000$saltsalt$LAV5VE5Y7w1d73x1mFNspYWUpazfmwv2SoepNXNKJ/otop/"
              "Zok96Hr8Q13LEv0DRY/x8v0/crpIjl8NJSAqXV/"},
    KnownHash{"SHA256-CRYPT", "$5$rounds=1000$saltsalt$eKLZU9t9OoPWrqOQsoTIKG0aYkZ5rGOoOQhiIvoSWX2"},
    KnownHash{"MD5-CRYPT", "$1$saltsalt$9xy1btjgzLYfb7hivXtC//"},
    KnownHash{"CRYPT", "$y$j75$saltsalt$0gBD67sgmJgRX3RZ6wHHO7sHimQEWGCWN85o4Twogh2"},
    KnownHash{"CRYPT", "$gy$j75$saltsalt$lKLXtt/QvsyxW9ILYZt1u1hNXyI7ZoBnbdUTsPBwSi5"},
    KnownHash{"CRYPT", "$7$6U..../....saltsalt$X5U8SQsYxdKoV4YFGbCO2to1JJbjQrcIM4GkaM41m96"},
};
inline constexpr const char* kSha256 = kEveryHash[3].hash;
// Of "other".
inline constexpr const char* kOther = "$5$rounds=1000$saltsalt$DqtkTIG04cmrnEJ0mkoECt9ibZmoxRHB02bHnTLkpZD";

}  // namespace postern::auth
