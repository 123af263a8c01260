// exit: 0
// policy: pin_mappings.yaml
// After the program has asked for a seccomp filter, which may end it for mlock,
// mappings are locked by mmap itself, and a child says that it has no locks.
#include <sys/mman.h>

#include "../../matrix/filter.h"
#include "pins.h"

static struct sock_filter filter[] = {
    X86_64_ONLY,
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_mlock, 2, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_mlock2, 1, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_munlock, 0, 1),
    RETURN(SECCOMP_RET_KILL_PROCESS),
    RETURN(SECCOMP_RET_ALLOW),
};

enum { kBytes = 256 << 10 };

static void check_child(void) {
  CHECK(locked_bytes() == 0 && pinned_bytes() == 0);
  CHECK(unpinned_bytes() >= kBytes);
}

int main(void) {
  char* before = pool_map(kBytes, PROT_READ | PROT_WRITE);
  INSTALL(filter);
  char* after = pool_map(kBytes, PROT_READ | PROT_WRITE);
  char* reserved = pool_map(kBytes, PROT_NONE);
  CHECK(is_locked(before) && is_locked(after));
  CHECK(pool_protect(reserved, kBytes, PROT_READ | PROT_WRITE) == 0);
  memset(reserved, 1, kBytes);
  CHECK(pinned_bytes() == 2 * kBytes && unpinned_bytes() == kBytes);
  in_child(check_child);
  CHECK(pool_unmap(after, kBytes) == 0);
  CHECK(pinned_bytes() == kBytes);
  return 0;
}
