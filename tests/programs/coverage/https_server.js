// SPDX-License-Identifier: Apache-2.0
// An HTTPS server with an RSA and an EC key, read again on SIGHUP:
//     node https_server.js PORT CERTIFICATE KEY [CERTIFICATE KEY]...
'use strict';
const fs = require('fs');
const https = require('https');

const [port, ...files] = process.argv.slice(2);

function credentials() {
  const read = (first) => files.filter((_, i) => i % 2 === first).map((f) => fs.readFileSync(f));
  return { cert: read(0), key: read(1) };
}

const server = https.createServer(credentials(), (request, response) => {
  response.end('fenced or not, it answers\n');
});
server.listen(Number(port), '127.0.0.1');
process.on('SIGHUP', () => {
  server.setSecureContext(credentials());
  console.log('reloaded');
});
