#include <limits>

// Adds beyond what an int can hold.
int main(int argc, char**) {
  volatile int most = std::numeric_limits<int>::max();
  volatile int more = most + argc;
  return more == 0 ? 0 : 0;
}
