// exit: 0
// policy: callers.yaml
// The caller of operator new is whoever wrote `new`, not the C++ library.
#include <string>
#include <vector>

#include "case.h"
extern "C" {
#include "libcaller.h"
}

int main() {
  for (int round = 0; round < 3; ++round) {
    for (int way = BY_NEW; way < WAYS; ++way) {
      void* p = called(static_cast<enum way>(way), 64);
      CHECK(is_fenced(p));
      way == BY_NEW_ALIGNED ? operator delete(p, std::align_val_t{64}) : operator delete(p);
    }
    std::string text(100, 'x');
    std::vector<int> numbers(100);
    CHECK(!is_fenced(text.data()) && !is_fenced(numbers.data()));
  }
  return 0;
}
