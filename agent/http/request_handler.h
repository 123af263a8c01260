// SPDX-License-Identifier: Apache-2.0
// Reads one request from a connection and answers it: cpp-httplib's parser, bound to our
// deadlines and limits. Its listener, thread pool and sockets are not used: they hold a
// thread for as long as a client dribbles bytes.
#pragma once

#include <httplib.h>

#include "agent/http/message.h"

namespace pagewarden {

class RequestHandler : private httplib::Server {
 public:
  RequestHandler(HttpHandler handler, bool local);

  // `socket` does not block. Thread-safe.
  void Serve(int socket);
};

}  // namespace pagewarden
