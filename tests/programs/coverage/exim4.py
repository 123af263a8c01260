# SPDX-License-Identifier: Apache-2.0
"""exim4: GnuTLS with an RSA and an EC key, senders that log in, one connection that stays."""

import base64
import contextlib
import shutil
import smtplib
import socket
import ssl

import harness
from credentials import make_keys, new_password

from .program import Program, listens

_USER = "Debian-exim"
_SENDERS = 100
_MESSAGE = "Subject: work\n\nDone.\n"
_CIPHERS = ("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256")
_CONFIG = """\
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
helo_lookup_domains =
spool_directory = {spool}
log_file_path = {spool}/%slog
pid_file_path =
primary_hostname = localhost
keep_environment =
queue_only
tls_advertise_hosts = *
tls_certificate = {certificates}
tls_privatekey = {keys}
auth_advertise_hosts = *
acl_smtp_rcpt = check
acl_smtp_data = check
begin acl
check:
  accept authenticated = *
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{alice}}}}{{eq{{$auth3}}{{{password}}}}}}}}}
  server_set_id = $auth2
"""


class Exim4(Program):
    name = "exim4"
    needs = ("/usr/sbin/exim4",)

    def make_secrets(self):
        self._keys = make_keys(self.directory)
        for key in self._keys:
            shutil.chown(key.key, _USER, _USER)
        self._password = new_password()
        return [*(key.secret for key in self._keys),
                self.text_secret("password", self._password,
                                 _plain("alice", self._password))]

    def start(self):
        spool = self.directory / "spool"
        spool.mkdir()
        shutil.chown(spool, _USER, _USER)
        self.port = harness.free_port()
        config = self.directory / "exim.conf"
        config.write_text(_CONFIG.format(
            port=self.port, spool=spool, password=self._password,
            certificates=" : ".join(str(key.certificate) for key in self._keys),
            keys=" : ".join(str(key.key) for key in self._keys)), encoding="utf-8")
        self._contexts = {cipher: self._make_context(cipher) for cipher in _CIPHERS}
        self.daemon(["/usr/sbin/exim4", "-bdf", "-C", config], lambda: listens(self.port))

    def work(self):
        """Senders, each served by a process of its own; the last two stay, and are searched."""
        for number in range(_SENDERS):
            with self._log_in(_CIPHERS[number % len(_CIPHERS)]) as session:
                if number % 10 == 0:
                    session.sendmail("alice@localhost", ["bob@localhost"], _MESSAGE)
        for cipher in _CIPHERS:
            self.enter(contextlib.closing(self._log_in(cipher)))

    def _log_in(self, cipher):
        session = smtplib.SMTP("127.0.0.1", self.port, "localhost", harness.DEADLINE_SECONDS)
        session.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session.starttls(context=self._contexts[cipher])
        session.login("alice", self._password)
        return session

    def _make_context(self, cipher):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        for key in self._keys:
            context.load_verify_locations(key.certificate)
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # in which the cipher says which key
        context.set_ciphers(cipher)
        return context


def _plain(user, password):
    """What a client sends to authenticate: RFC 4616."""
    return base64.b64encode(f"\0{user}\0{password}".encode()).decode()
