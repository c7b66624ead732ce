"""Lets a Python program reach loopback and nothing else. Loaded by the interpreter from PYTHONPATH.

An audit hook cannot be taken away again. Names are refused before they are looked up; so are connections to
any address that is not loopback. What refuses is an OSError, as from a machine without a network.
"""

import ipaddress
import socket
import sys

_NAMES = (None, "", "localhost", "ip6-localhost", socket.gethostname())
_CONNECTING = ("socket.connect", "socket.sendto", "socket.sendmsg")
_NAMING = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")


def _near(host):
    if isinstance(host, (bytes, bytearray)):
        host = host.decode("ascii", "replace")
    if host in _NAMES:
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except (ValueError, AttributeError):
        return False


def _guard(event, arguments):
    if event in _CONNECTING:
        address = arguments[1]
        if isinstance(address, tuple) and not _near(address[0]):
            raise PermissionError(f"wirecheck: no connection beyond loopback: {address[0]}")
    elif event in _NAMING and not _near(arguments[0]):
        raise socket.gaierror(socket.EAI_FAIL, f"wirecheck: no name beyond loopback: {arguments[0]}")


sys.addaudithook(_guard)
