#include <iostream>

#include "conf/loader.h"

// Writes conf/REFERENCE.md to the standard output.
int main() { std::cout << postern::conf::reference(); }
