"""Keep this process off the network: only this computer itself can be reached."""

import errno
import ipaddress
import socket
import sys

_CONNECTIONS = {"socket.connect", "socket.sendto", "socket.sendmsg"}
_LOOK_UPS = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}
_TOLD = "the tests run without network, and this asked for {!r}; ship the file or mock the server"


def guard() -> None:
    """Refuse, until this process ends, every connection and look-up that leaves this computer.

    An audit hook sees the sockets of every library, those of asyncio too.
    """
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple) -> None:
    if event in _CONNECTIONS:
        used, address = arguments[:2]
        if used.family == getattr(socket, "AF_UNIX", None) or address is None:
            return
        if not (used.family in (socket.AF_INET, socket.AF_INET6) and _is_here(address[0])):
            raise OSError(errno.ENETUNREACH, _TOLD.format(address))
    elif event in _LOOK_UPS and not _is_here(arguments[0]):
        raise socket.gaierror(socket.EAI_NONAME, _TOLD.format(arguments[0]))


def _is_here(host: str | bytes | None) -> bool:
    host = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if not host or host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
