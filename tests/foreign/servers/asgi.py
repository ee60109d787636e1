"""An ASGI application behind uvicorn, on a port of 127.0.0.1.

/echo    answers each piece of the body as soon as it comes
/early   answers 413 before it has read anything
/count   reads the whole body and answers its length
"""

import sys

import uvicorn


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    path, more = scope["path"], True

    async def start(status):
        headers = [(b"content-type", b"application/octet-stream")]
        await send({"type": "http.response.start", "status": status, "headers": headers})

    async def body(data, more):
        await send({"type": "http.response.body", "body": data, "more_body": more})

    if path == "/early":
        await start(413)
        await body(b"too large", False)
    elif path == "/echo":
        await start(200)
        while more:
            message = await receive()
            more = message.get("more_body", False)
            await body(message.get("body", b""), more)
    else:
        count = 0
        while more:
            message = await receive()
            count += len(message.get("body", b""))
            more = message.get("more_body", False)
        await start(200)
        await body(str(count).encode(), False)


uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", http="h11")
