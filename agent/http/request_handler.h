// SPDX-License-Identifier: Apache-2.0
// The answer to one request: cpp-httplib's parser. Its listener, thread pool and sockets are
// not used: they hold a thread for as long as a client dribbles bytes.
#pragma once

#include <httplib.h>

#include <string>

#include "agent/http/message.h"

namespace pagewarden {

class RequestHandler : private httplib::Server {
 public:
  RequestHandler(HttpHandler handler, bool local);

  // Bytes to bytes; what is not in `request`, its body, does not come. Empty: no answer.
  // Thread-safe.
  std::string Answer(const std::string& request);
};

}  // namespace pagewarden
