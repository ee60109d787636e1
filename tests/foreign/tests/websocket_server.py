"""A server of web sockets made of the package `websockets`: each path is a behaviour. Arguments: a port, and a folder
with chain.pem and key.pem for TLS."""

import asyncio
import ssl
import sys
from urllib.parse import unquote

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

# How the web sockets of /watched were closed, for /last.
closed = asyncio.Queue()


async def echo(ws):
    async for message in ws:
        await ws.send(message)


async def fragments(ws):
    """Each message comes back in pieces of 1000, with pings in between."""
    async for message in ws:
        async def pieces():
            for at in range(0, max(len(message), 1), 1000):
                yield message[at:at + 1000]
                await ws.ping()

        await ws.send(pieces())


async def storm(ws):
    """1000 pings with payloads, all answered, and then the word."""
    waiters = []
    for number in range(1000):
        waiters.append(await ws.ping(f"ping {number}".encode()))
        if number % 10 == 0:
            await ws.send(f"message {number}")
    for waiter in waiters:
        await waiter
    await ws.send("all answered")
    await ws.wait_closed()


async def watched(ws):
    try:
        async for _ in ws:
            pass
    except ConnectionClosed:
        pass
    received, sent = ws.protocol.close_rcvd, ws.protocol.close_sent
    closed.put_nowait(
        f"{received.code if received else 0} {received.reason if received else ''} {sent.code if sent else 0}"
    )


async def handler(ws):
    path = ws.request.path.split("/")
    match path[1]:
        case "fragments":
            await fragments(ws)
        case "storm":
            await storm(ws)
        case "close":
            await ws.close(int(path[2]), unquote(path[3]))
        case "reset":
            await ws.recv()
            ws.transport.abort()
        case "watched":
            await watched(ws)
        case "last":
            await ws.send(await closed.get())
            await ws.wait_closed()
        case _:
            await echo(ws)


async def main():
    context = None
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{sys.argv[2]}/chain.pem", f"{sys.argv[2]}/key.pem")
    arguments = dict(max_size=None, compression=None, ping_interval=None, close_timeout=5, ssl=context)
    async with serve(handler, "127.0.0.1", int(sys.argv[1]), **arguments):
        await asyncio.get_running_loop().create_future()


asyncio.run(main())
