# SPDX-License-Identifier: Apache-2.0
"""Real programs under their shipped policies: which copies of their secrets are fenced.

To add a program, write a module with a subclass of `Program` (program.py has an example) and
name the class in ALL. The class says which secrets the program gets (`make_secrets`), how it is
started (`start`, which calls `daemon` and so waits until it serves) and what its real work is
(`work`, again after `reload` if the program can do that). Its shipped policy is
policies/NAME.yaml. The table, the tests and the swap experiment need nothing else. Copies that
the policy leaves in unlocked memory must be in `explained`, by secret and place; a place that is
not makes scripts/coverage and the test fail.
"""

from .apache2 import Apache2
from .curl import Curl
from .exim4 import Exim4
from .gpg_agent import GpgAgent
from .nginx import Nginx
from .node import Node
from .openssl import OpensslServer
from .postgres import Postgres
from .python3 import Python3
from .redis import Redis
from .ssh_agent import SshAgent
from .sshd import Sshd
from .stunnel4 import Stunnel4

ALL = (
    Nginx,
    Apache2,
    Stunnel4,
    OpensslServer,
    Curl,
    Python3,
    Node,
    Sshd,
    SshAgent,
    GpgAgent,
    Postgres,
    Redis,
    Exim4,
)
