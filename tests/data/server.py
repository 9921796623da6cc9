"""A little web server on loopback that can misbehave."""
import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Site:
    """Files by name, and how they are served.

    Attributes:
        files: name -> content.
        ranges: whether parts of a file can be asked for.
        cut: bytes after which connections break, one entry a request; afterwards they hold.
        status: answer every request with this error, if not 0.
        html: send a web page in place of the file.
        requests: (name, Range header or '') of each request so far.
    """

    def __init__(self, files):
        self.files, self.ranges, self.cut, self.status, self.html, self.requests = (
            dict(files),
            True,
            [],
            0,
            False,
            [],
        )


def _handler(site):
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            """Keeps the tests' output quiet."""

        def do_GET(self):
            name, asked = self.path.lstrip("/"), self.headers.get("Range", "")
            site.requests.append((name, asked))
            if site.status or name not in site.files:
                self.send_error(site.status or 404)
                return
            content = b"<html>quota</html>" if site.html else site.files[name]
            tag = f'"{hash(content)}"'
            start = 0
            if asked and site.ranges and self.headers.get("If-Range", tag) == tag:
                start = int(asked.removeprefix("bytes=").rstrip("-"))
                if start >= len(content):
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(content)}")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
            self.send_response(206 if start else 200)
            self.send_header("Content-Type", "text/html" if site.html else "application/octet-stream")
            self.send_header("Content-Length", str(len(content) - start))
            self.send_header("ETag", tag)
            self.end_headers()
            part = content[start:]
            self.wfile.write(part[:site.cut.pop(0)] if site.cut else part)

    return Handler


@contextlib.contextmanager
def serve(files):
    """Runs a `Site` while the block lasts; gives (site, its address)."""
    site = Site(files)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(site))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield site, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
