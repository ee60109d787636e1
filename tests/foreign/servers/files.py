"""Python's own http.server: a folder of files, HTTP/1.0, on a port of 127.0.0.1."""

import functools
import os
import sys
import tempfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

folder = tempfile.mkdtemp()
with open(os.path.join(folder, "hello.txt"), "w") as file:
    file.write("hello")
os.mkdir(os.path.join(folder, "below"))
with open(os.path.join(folder, "below", "index.html"), "w") as file:
    file.write("<p>below</p>")
handler = functools.partial(SimpleHTTPRequestHandler, directory=folder)
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), handler).serve_forever()
