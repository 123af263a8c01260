// SPDX-License-Identifier: Apache-2.0
// The other end of CheckRunner: the process that holds secrets.
#pragma once

namespace pagewarden {

// Reads a request from the socket, makes the check in guarded memory and says the result; of a
// process that does nothing else, and ends with the thread that started it. Returns its exit code.
int ServeSecretCheck(int socket);

}  // namespace pagewarden
