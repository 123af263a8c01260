# SPDX-License-Identifier: Apache-2.0
"""apache2 with the event MPM: RSA and EC key, basic authentication over TLS, graceful restart."""

import signal

import ab
import harness
from credentials import make_keys, new_password

from .program import Program, listens

_MODULES = ("mpm_event", "ssl", "authn_core", "authn_file", "authz_core", "authz_user",
            "auth_basic", "alias")
_USER = "alice"
_CONFIG = """\
ServerRoot {directory}
DefaultRuntimeDir {directory}
ServerName localhost
PidFile {directory}/apache2.pid
ErrorLog {directory}/error.log
Listen 127.0.0.1:{port}
User www-data
Group www-data
StartServers 2
ServerLimit 2
ThreadsPerChild 8
MaxRequestWorkers 16
MinSpareThreads 1
MaxSpareThreads 16
{modules}
DocumentRoot {directory}/pages
SSLEngine on
SSLSessionCache none
{certificates}
<Location />
  AuthType Basic
  AuthName everything
  AuthUserFile {directory}/users
  Require valid-user
</Location>
"""


class Apache2(Program):
    name = "apache2"
    needs = ("/usr/sbin/apache2", "/usr/bin/htpasswd", ab.AB)

    def make_secrets(self):
        self._keys = make_keys(self.directory)
        self._password = new_password()
        return [*(key.secret for key in self._keys),
                self.text_secret("password", self._password)]

    def start(self):
        self._port = harness.free_port()
        pages = self.directory / "pages"
        pages.mkdir()
        (pages / "index.html").write_text("fenced or not, it answers\n", encoding="ascii")
        users = harness.run_checked(["/usr/bin/htpasswd", "-nbm", _USER, self._password])
        (self.directory / "users").write_text(users, encoding="ascii")
        self._server = self.daemon(["/usr/sbin/apache2", "-DFOREGROUND", "-f", self._config()],
                                   lambda: listens(self._port))

    def _config(self):
        config = self.directory / "apache2.conf"
        config.write_text(_CONFIG.format(
            directory=self.directory, port=self._port,
            modules="\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so"
                              for name in _MODULES),
            certificates="\n".join(f"SSLCertificateFile {key.certificate}\n"
                                   f"SSLCertificateKeyFile {key.key}" for key in self._keys)),
            encoding="ascii")
        return config

    def work(self):
        ab.load(f"https://127.0.0.1:{self._port}/index.html", 100,
                "-A", f"{_USER}:{self._password}")

    def reload(self):
        old = set(self._children())
        self._server.send_signal(signal.SIGUSR1)
        harness.wait_until(lambda: self._children() and not old & set(self._children()),
                           "apache2 has replaced its children")
        harness.wait_until(lambda: listens(self._port), "apache2 answers")

    def _children(self):
        return [pid for pid in self.cgroup.pids() if pid != self._server.pid]
