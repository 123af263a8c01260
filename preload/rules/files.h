// SPDX-License-Identifier: Apache-2.0
// Files with secrets: which are open, and the extent that begins for a thread when it
// opens one (rule form `readFrom`).
//
// The extent ends when the file is closed, by whichever thread. Its record names an
// entry of a table and what the entry held then; an entry that was closed, or is
// another file's by now, ends it without anybody telling its thread.
#pragma once

#include <stdint.h>

#include "preload/abi/policy_image.h"
#include "preload/rules/policy.h"

namespace pagewarden {

inline constexpr uint32_t kMaxOpenFiles = 64;

// Whether a rule is of the form.
bool HasFileRules(const PolicyImage& image, const abi::PolicyEntry& policy);

// By the name alone, cheaply: whether a rule could be for this file.
bool MayBeSecretFile(const char* path);

// Precondition: MayBeSecretFile(path), and `fd` is open by that path. Begins an extent
// of this thread if a rule is for the file: for its path as it was given, or as the
// kernel knows it.
void NoticeOpened(const char* path, int fd);

// Before `fd` is closed.
void NoticeClosing(int fd);

// One that is open with no extent, for want of room.
void CountMissedFile();

// Whether any file of the table is open: if not, there is nothing to notice.
bool HasSecretFileOpen();

// What the record of an extent has for a witness (scopes.h).
bool IsSecretFileOpen(uint64_t witness);

}  // namespace pagewarden
