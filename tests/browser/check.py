"""Look at report.html as readers do: in headless Chromium, wide and narrow, light and dark, with and without scripts, on paper.

    python tests/browser/check.py REPORT.html [FOLDER]     screenshots go into FOLDER, if one is given

Fails on errors in the console, on any request but that of the page itself, on a page that is wider than its window, and on tables
that do not sort. Needs Chromium and Python's standard library only.
"""

import base64
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-port=0",
]


class Socket:
    """As much of a WebSocket (RFC 6455) as talking to a browser on this machine takes."""

    def __init__(self, port, path):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=40)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Upgrade: websocket", "Connection: Upgrade"]
        lines += [f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", "", ""]
        self.socket.sendall("\r\n".join(lines).encode())
        self.rest = b""
        while b"\r\n\r\n" not in self.rest:
            self.rest += self.socket.recv(4096)
        self.rest = self.rest.split(b"\r\n\r\n", 1)[1]

    def take(self, count):
        while len(self.rest) < count:
            more = self.socket.recv(1 << 20)
            if not more:
                raise ConnectionError("the browser has gone")
            self.rest += more
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def send(self, text):
        data, mask = text.encode(), os.urandom(4)
        size = len(data)
        head = struct.pack("!BB", 0x81, 0x80 | size) if size < 126 else (
            struct.pack("!BBH", 0x81, 0xFE, size) if size < 65536 else struct.pack("!BBQ", 0x81, 0xFF, size))
        self.socket.sendall(head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(data)))

    def receive(self):
        text = b""
        while True:
            first, size = self.take(2)
            size = size & 0x7F
            if size > 125:
                size = struct.unpack("!H" if size == 126 else "!Q", self.take(2 if size == 126 else 8))[0]
            text += self.take(size)
            if first & 0x80:
                return text.decode()


class Page:
    """One page of a browser, with everything that it complains about."""

    def __init__(self, port):
        deadline = time.time() + 30
        target = None
        while target is None and time.time() < deadline:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=20) as answer:
                target = next((t for t in json.load(answer) if t["type"] == "page"), None)
        self.socket = Socket(port, target["webSocketDebuggerUrl"].split(f":{port}", 1)[1])
        self.number, self.complaints, self.requests, self.loaded = 0, [], [], False
        for domain in ["Page", "Runtime", "Log", "Network"]:
            self.call(f"{domain}.enable")

    def hear(self, message):
        method, params = message.get("method"), message.get("params", {})
        if method == "Page.loadEventFired":
            self.loaded = True
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(params["exceptionDetails"]["text"])
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.complaints.append(str(params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(params["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])

    def call(self, method, **params):
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": params}))
        while True:
            message = json.loads(self.socket.receive())
            if message.get("id") == self.number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self.hear(message)

    def open(self, url):
        self.loaded = False
        self.call("Page.navigate", url=url)
        while not self.loaded:
            self.hear(json.loads(self.socket.receive()))

    def value(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return result["result"].get("value")


def look(page, url, folder, width, scheme, script):
    """One way of looking at the page; says what is wrong with it."""
    page.call("Emulation.setScriptExecutionDisabled", value=not script)
    page.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600)
    page.call("Emulation.setEmulatedMedia", media="", features=[{"name": "prefers-color-scheme", "value": scheme}])
    page.complaints, page.requests = [], []
    page.open(url)
    name = f"{width}px, {scheme}{'' if script else ', no script'}"
    wrong = [f"{name}: {text}" for text in page.complaints]
    wrong += [f"{name}: asks for {other}" for other in page.requests if other != url]
    wide = page.value("document.documentElement.scrollWidth")
    if wide > width:
        wrong.append(f"{name}: the page is {wide} px wide")
    cut = page.value(
        "[...document.querySelectorAll('.few')].filter(t => t.parentElement.scrollWidth > t.parentElement.clientWidth)"
        ".map(t => t.parentElement.getAttribute('aria-label')).join(', ')")
    if cut:
        wrong.append(f"{name}: only scrolling shows all of {cut}")
    if script:
        wrong += [f"{name}: {problem}" for problem in sorting(page)]
    if folder:
        height = page.value("document.documentElement.scrollHeight")
        page.call("Emulation.setDeviceMetricsOverride", width=width, height=min(height, 12000), deviceScaleFactor=1, mobile=False)
        picture = page.call("Page.captureScreenshot", format="png")["data"]
        file = folder / f"{width}-{scheme}{'' if script else '-plain'}.png"
        file.write_bytes(base64.b64decode(picture))
    return wrong


def sorting(page):
    """A click on a heading of numbers sorts by their size, the largest first, and again the other way."""
    page.value("window.h = document.querySelector('#table-causes ~ .scroll th.number')")
    page.value("h.click()")
    amounts = ("[...h.closest('table').tBodies[0].rows].map(r => r.cells[1].textContent.replace(/[$,<]/g, ''))"
               ".map(Number)")
    down = page.value(amounts)
    page.value("h.click()")
    up = page.value(amounts)
    if down != sorted(down, reverse=True) or up != sorted(up):
        return [f"the table of causes does not sort: {down}, {up}"]
    page.value("h.closest('table').tHead.rows[0].cells[0].click()")
    if not page.value("!!document.querySelector('.tip')"):
        return ["charts have no hint under the pointer"]
    return []


def paper(page, url, folder):
    """The page on A4."""
    page.call("Emulation.clearDeviceMetricsOverride")
    page.call("Emulation.setEmulatedMedia", media="")
    page.open(url)
    printed = base64.b64decode(page.call("Page.printToPDF", paperWidth=8.27, paperHeight=11.69)["data"])
    if folder:
        (folder / "paper.pdf").write_bytes(printed)
    return [] if printed.startswith(b"%PDF") else ["it does not print"]


def check(report, folder):
    browser = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
    if browser is None:
        print("no Chromium here: the page is not looked at")
        return []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen([browser, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            port_file, deadline = pathlib.Path(profile, "DevToolsActivePort"), time.time() + 60
            while not port_file.exists() or "\n" not in port_file.read_text():
                if time.time() > deadline:
                    return ["Chromium does not start"]
                time.sleep(0.1)
            page = Page(int(port_file.read_text().split()[0]))
            url = report.resolve().as_uri()
            ways = [(w, s, True) for w in (360, 768, 1440) for s in ("light", "dark")] + [(360, "light", False)]
            wrong = [problem for way in ways for problem in look(page, url, folder, *way)]
            return wrong + paper(page, url, folder)
        finally:
            process.kill()
            process.wait()


def main():
    report = pathlib.Path(sys.argv[1])
    folder = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    wrong = check(report, folder)
    for problem in wrong:
        print(problem)
    print(f"{report}: {len(wrong)} problems")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
