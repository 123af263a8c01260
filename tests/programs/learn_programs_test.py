#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`pagewarden learn` on real programs, without the policies that are shipped for them. What it
learns must hold for another process and another secret: at least 95 % of the copies on the heap
fenced, for at most 1 % of the allocations."""

import os
import pathlib
import secrets
import shutil
import subprocess
import tempfile
import unittest

import harness
import learning

MIN_FENCED = 0.95
MAX_MOVED_PERCENT = 1
CONNECTIONS = 100
COMMANDS = 50  # in each connection of redis

NODE_SERVER = """\
const fs = require('fs');
require('https')
  .createServer({key: fs.readFileSync('key.pem'), cert: fs.readFileSync('cert.pem')},
                (request, response) => response.end('ok'))
  .listen(Number(process.argv[2]), '127.0.0.1');
"""

NGINX_CONFIGURATION = """\
daemon off;
worker_processes 2;
pid nginx.pid;
error_log stderr;
events {{}}
http {{
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate cert.pem;
    ssl_certificate_key key.pem;
    location / {{ return 200 ok; }}
  }}
}}
"""


def make_key(directory):
    harness.run_checked(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                         "-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "cert.pem"],
                        cwd=directory)


class Server:
    """A program in a directory of its own, its secret and the work it does with it."""

    option = "--secret"
    secret = "key.pem"

    def __init__(self, directory):
        self.directory = directory
        self.port = harness.free_port()
        self.renew_secret()

    def renew_secret(self):
        make_key(self.directory)

    def work(self, times):
        """A shell command that fails if the program does."""
        return (f"for i in $(seq {times}); do curl -sSk --retry 20 --retry-connrefused "
                f"--retry-delay 1 -o /dev/null https://127.0.0.1:{self.port}/ || exit 1; done")


class Node(Server):
    needs = "node"

    def command(self):
        (self.directory / "server.js").write_text(NODE_SERVER, encoding="ascii")
        return ["node", "server.js", str(self.port)]


class Nginx(Server):
    needs = "nginx"

    def command(self):
        os.chmod(self.directory, 0o755)
        (self.directory / "nginx.conf").write_text(NGINX_CONFIGURATION.format(port=self.port),
                                                   encoding="ascii")
        return ["nginx", "-p", str(self.directory), "-c", "nginx.conf"]


class Redis(Server):
    needs = "redis-server"
    option = "--secret-text-file"
    secret = "password"

    def renew_secret(self):
        password = secrets.token_hex(16)
        (self.directory / "password").write_text(password, encoding="ascii")
        (self.directory / "redis.conf").write_text(
            f'port {self.port}\nbind 127.0.0.1\nsave ""\nrequirepass {password}\n',
            encoding="ascii")

    def command(self):
        return ["redis-server", "redis.conf"]

    def work(self, times):
        client = f"redis-cli -p {self.port} -e"
        return (f"export REDISCLI_AUTH=$(cat password); for i in $(seq 50); do "
                f"{client} ping >/dev/null 2>&1 && break; sleep 0.1; done; for i in "
                f"$(seq {times // 5}); do seq {COMMANDS} | sed 's/.*/set key& value&/' | "
                f"{client} >/dev/null || exit 1; done")


class LearnProgramsTest(unittest.TestCase):
    def check(self, server_class):
        if shutil.which(server_class.needs) is None:
            self.skipTest(f"{server_class.needs} is not installed")
        with tempfile.TemporaryDirectory(prefix="pagewarden-learn-") as directory:
            self.check_server(server_class(pathlib.Path(directory)))

    def check_server(self, server):
        policy = server.directory / "policy.yaml"
        learned = learning.learn(
            [server.option, server.secret, "--settle", "1", "--workload", server.work(CONNECTIONS),
             "--output", policy, "--", *server.command()], cwd=server.directory)
        print(learned.stderr)
        self.assertIn(learned.returncode, (0, 1), learned.stderr)
        self.assertTrue(policy.exists(), learned.stderr)
        self.assertLessEqual(learned.workload_moved_percent, MAX_MOVED_PERCENT, learned.stderr)

        server.renew_secret()
        with learning.Fenced(policy, server.command(), server.directory) as program:
            done = subprocess.run(["sh", "-c", server.work(CONNECTIONS)], cwd=server.directory,
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            found = program.verify(server.directory / server.secret, server.option)
        print(f"{server.needs}: {found.fenced} of {len(found.copies)} copies fenced, "
              f"{found.heap_fenced} of {found.heap + found.anonymous} on heaps")
        self.assertGreater(found.heap, 0)
        heaps = found.heap + found.anonymous
        self.assertGreaterEqual(found.heap_fenced, MIN_FENCED * heaps, learned.stderr)


    def test_node_with_openssl_inside(self):
        self.check(Node)

    def test_redis_with_its_own_allocator(self):
        self.check(Redis)

    def test_nginx_with_workers(self):
        self.check(Nginx)


if __name__ == "__main__":
    harness.main()
