# SPDX-License-Identifier: Apache-2.0
"""A client as one writes it: asks a server again and again, with a key and a password."""

import base64
import http.client
import pathlib
import ssl
import sys


def main(port, authority, certificate, key, user, password_file):
    context = ssl.create_default_context(cafile=authority)
    context.load_cert_chain(certificate, key)
    password = pathlib.Path(password_file).read_text(encoding="utf-8")
    while True:
        connection = http.client.HTTPSConnection("localhost", int(port), context=context)
        credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
        connection.request("GET", "/", headers={"Authorization": f"Basic {credentials}"})
        if connection.getresponse().read() == b"":
            sys.exit("an empty answer")
        connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
