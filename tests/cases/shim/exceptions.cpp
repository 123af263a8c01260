// exit: 0
// operator new in all its forms, tagged; exceptions pass through trampolines,
// and an arena that cannot serve leaves bad_alloc to the C++ library.
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "case.h"

struct alignas(256) Wide {
  char bytes[256];
};

static void allocate(void*) {
  auto plain = std::make_unique<char[]>(64);
  CHECK(is_fenced(plain.get()));
  auto wide = std::make_unique<Wide>();
  CHECK(is_fenced(wide.get()) && reinterpret_cast<uintptr_t>(wide.get()) % 256 == 0);
  char* nothrow = new (std::nothrow) char[32];
  CHECK(is_fenced(nothrow));
  delete[] nothrow;
  std::vector<std::string> strings(20, std::string(100, 'x'));
  CHECK(is_fenced(strings[7].data()));
  throw std::string(200, 'e');
}

static void too_much(void*) {
  try {
    char* volatile never = new char[SIZE_MAX / 4];  // volatile: the pair may not be elided
    delete[] never;
    CHECK(false);
  } catch (const std::bad_alloc&) {
  }
}

int main() {
  for (int i = 0; i < 3; ++i) {
    try {
      tagged(allocate, nullptr);
      CHECK(false);
    } catch (const std::string& e) {
      CHECK(e.size() == 200);
    }
    auto after = std::make_unique<int>(1);
    CHECK(!is_fenced(after.get()));
  }
  tagged(too_much, nullptr);
  return 0;
}
