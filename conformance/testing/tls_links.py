"""What tests of TLS begin with: secured sockets, sockets that are to become so, and certificates as init takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.testing.checks import is_failed, is_identical, is_socket_error
from conformance.testing.links import Ends

if TYPE_CHECKING:
    from conformance.agent.objects import RemotePromise
    from conformance.agent.remote import RemoteSocket
    from conformance.agent.values import RemoteError
    from conformance.peers.certificates import Certificate
    from conformance.peers.listener import Listener
    from conformance.peers.tls import TlsConnection, TlsPeer
    from conformance.testing.context import Context
    from conformance.testing.links import Link


class TlsLink(Ends["TlsConnection"]):
    """Both ends of a TLS connection."""

    __slots__ = ()


def trusting(t: Context, **tls: Any) -> dict[str, Any]:
    """Return a `tls` that trusts the authority of the run; the members of `tls` are added or come first.

    A target whose scripts cannot name trust anchors was told of the authority when it was started.
    """
    anchors = {"ca": [t.authority.pem]} if "trust-anchors" in t.target.features else {}
    return anchors | tls


def presenting(certificate: Certificate, **tls: Any) -> dict[str, Any]:
    """Return a `tls` with the key and the chain of `certificate`, in PEM."""
    return {"key": certificate.key_pem, "cert": certificate.cert_pem} | tls


def tls_init(t: Context, peer: Listener[Any], tls: dict[str, Any] | None = None, **init: Any) -> dict[str, Any]:
    """Return the init of a tls socket to `peer`; without `tls` it trusts the authority of the run."""
    return {"type": "tls", "remote": peer.remote, "tls": trusting(t) if tls is None else tls} | init


async def tls_socket(t: Context, peer: Listener[Any], tls: dict[str, Any] | None = None, **init: Any) -> RemoteSocket:
    """Return a socket that connects to `peer` over TLS; nothing is awaited."""
    return await t.socket(tls_init(t, peer, tls, **init))


async def connect_tls(
    t: Context, peer: TlsPeer | None = None, tls: dict[str, Any] | None = None, **init: Any
) -> TlsLink:
    """Return a link whose tls socket is ready; without `tls` it trusts the authority of the run."""
    if peer is None:
        peer = await t.tls_peer()
    socket = await tls_socket(t, peer, tls, **init)
    connection = await peer.accept()
    await socket.ready.fulfils()
    return TlsLink(t, socket, connection)


async def prove_tls(t: Context) -> None:
    """Show that the target speaks TLS: another socket connects and carries random bytes both ways."""
    t.step("meanwhile another socket works over TLS")
    link = await connect_tls(t)
    await link.outward()
    await link.inward()


async def is_refused(t: Context, socket: RemoteSocket, code: str) -> RemoteError:
    """Check that a socket fails with this errorCode instead of getting ready, in every place where that shows."""
    error = await socket.ready.rejects()
    is_socket_error(t, error, code)
    await is_failed(t, socket, error)
    event = await socket.event("error")
    is_identical(t, event.error, error, "the error of the event")
    await socket.event("close")
    t.equal([entry.type for entry in await socket.events()], ["error", "close"], "the events")
    return error


# STARTTLS.


def upgrade(tls: dict[str, Any] | None = None, **also: Any) -> dict[str, Any]:
    """Return the argument of `update()` that asks for TLS."""
    return {"type": "tls"} | ({} if tls is None else {"tls": tls}) | also


async def start_upgrade(link: Link, tls: dict[str, Any] | None = None, **also: Any) -> RemotePromise:
    """Have the target ask for TLS and return the promise; without `tls` it trusts the authority of the run."""
    return await link.socket.start_update(upgrade(trusting(link.t) if tls is None else tls, **also))


async def upgraded(
    link: Link, tls: dict[str, Any] | None = None, certificate: Certificate | None = None, **options: Any
) -> TlsLink:
    """Have the target ask for TLS, and its peer go on with it; return the link when the upgrade is done.

    `options` are those of the peer's TLS. Locked streams stay locked by the same reader and writer.
    """
    promise = await start_upgrade(link, tls)
    connection = await link.connection.start_tls(certificate or link.t.authority.issue(), **options)
    await promise.fulfils()
    return over(link, connection)


def over(link: Link, connection: TlsConnection) -> TlsLink:
    """Return what a link has become: the same socket and streams, whose bytes now go over `connection`."""
    secured = TlsLink(link.t, link.socket, connection)
    secured.keep_locks(link)
    return secured
