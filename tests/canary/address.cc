#include <memory>

// Reads behind the end of an allocation.
int main(int argc, char**) {
  const auto memory = std::make_unique<char[]>(8);
  volatile const char* bytes = memory.get();
  return bytes[8 + argc] == 0 ? 0 : 0;
}
