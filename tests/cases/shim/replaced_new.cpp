// exit: 0
// A program that replaces operator new and delete for single objects, with a
// header before each, gets the C++ library's other forms on top of its own, and
// what its malloc returns in an extent is fenced.
#include <new>

#include "case.h"

namespace {

constexpr size_t kHeader = 16;
constexpr uint64_t kMagic = 0x6d61676963;

int live = 0;

void* allocate(size_t bytes) {
  auto* header = static_cast<uint64_t*>(malloc(kHeader + bytes));
  if (header == nullptr) throw std::bad_alloc();
  *header = kMagic;
  ++live;
  return header + 2;
}

void release(void* block) {
  if (block == nullptr) return;
  auto* header = static_cast<uint64_t*>(block) - 2;
  CHECK(*header == kMagic);
  --live;
  free(header);
}

void all_forms(void* fenced) {
  char* volatile one = new char;
  char* volatile many = new char[100];
  char* volatile quiet = new (std::nothrow) char[40];
  CHECK(live == 3);
  char* const blocks[] = {one, many, quiet};
  for (char* block : blocks) CHECK(is_fenced(block) == (fenced != nullptr));
  delete one;
  delete[] many;
  ::operator delete(quiet, std::nothrow);
  CHECK(live == 0);
}

}  // namespace

void* operator new(size_t bytes) { return allocate(bytes); }
void operator delete(void* block) noexcept { release(block); }
void operator delete(void* block, size_t) noexcept { release(block); }

int main() {
  for (int i = 0; i < 2; ++i) {
    all_forms(nullptr);
    tagged(all_forms, &live);
  }
  return 0;
}
