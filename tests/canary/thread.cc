#include <thread>

// Two threads write one number, and nothing orders them.
int main() {
  int number = 0;
  const auto count = [&number] {
    for (int i = 0; i < 100000; ++i) number = number + 1;
  };
  std::thread one(count);
  std::thread other(count);
  one.join();
  other.join();
  return 0;
}
