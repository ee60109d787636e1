"""httpbin behind waitress, on a port of 127.0.0.1."""

import sys

import waitress
from httpbin import app

waitress.serve(app, listen=f"127.0.0.1:{sys.argv[1]}", threads=8)
