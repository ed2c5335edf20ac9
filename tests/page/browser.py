# SPDX-License-Identifier: Apache-2.0
"""Chromium under a test's hand, and a TCP port that leads to a unix socket."""
import os
import socket
import threading

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from host import B, DEADLINE

SHOTS = os.path.join(B, "tests", "page")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--ignore-certificate-errors", "--disable-dev-shm-usage", "--no-proxy-server")


ADVICE = "willReadFrequently"  # to xterm.js, about speed


class Forward:
    """What `ssh -L PORT:SOCKET host` is: whoever connects to the port comes to the socket as this user."""

    def __init__(self, path):
        self.path, self.open = path, set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"http://localhost:{self.port}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self.path)
            except OSError:
                client.close()
                server.close()
                continue
            self.open |= {client, server}
            for a, b in ((client, server), (server, client)):
                threading.Thread(target=self.pump, args=(a, b), daemon=True).start()

    def pump(self, source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        for s in (source, sink):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        """The network is gone: what was open ends without a word."""
        for s in list(self.open):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()
        self.open.clear()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.cut()


class Browser:
    def __init__(self, folder):
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for flag in (*FLAGS, f"--user-data-dir={folder}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.driver.set_page_load_timeout(DEADLINE)
        self.driver.set_script_timeout(DEADLINE)
        self.expected = ()

    def close(self):
        self.driver.quit()

    def fresh(self):
        self.driver.get("about:blank")
        self.cdp("Storage.clearDataForOrigin", origin="*", storageTypes="all")
        self.cdp("Emulation.clearDeviceMetricsOverride")
        self.cdp("Emulation.setEmulatedMedia", features=[])
        self.cdp("Network.enable")
        self.cdp("Network.setBlockedURLs", urls=[])
        self.driver.get_log("browser")
        self.expected = ()
        self.size(1280, 860)

    def cdp(self, command, **arguments):
        return self.driver.execute_cdp_cmd(command, arguments)

    # --- what it complains of

    def expect(self, *texts):
        """Complaints that hold one of these texts belong to the test."""
        self.expected = texts

    def complaints(self):
        return [e["message"] for e in self.driver.get_log("browser")
                if e["level"] in ("SEVERE", "WARNING") and not any(t in e["message"] for t in (ADVICE, *self.expected))]

    # --- looking

    def open(self, url):
        self.driver.get(url)
        return self

    def size(self, width, height, scale=1):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=width < 600)

    def dark(self, is_dark=True):
        self.cdp("Emulation.setEmulatedMedia",
                 features=[{"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}])

    def shot(self, name):
        os.makedirs(SHOTS, exist_ok=True)
        self.driver.save_screenshot(os.path.join(SHOTS, f"{name}.png"))

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def one(self, css):
        return self.until(lambda: next((e for e in self.all(css) if e.is_displayed()), None), css)

    def text(self, css):
        """Of all such elements that are there now, shown or not; "" = none."""
        return self.js("return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText).join('\\n')", css)

    def until(self, condition, what):
        return WebDriverWait(self.driver, DEADLINE, 0.05).until(
            lambda _: condition(), f"not within {DEADLINE} s: {what}\n{self.text('body')[:3000]}")

    def until_text(self, css, text):
        return self.until(lambda: text in self.text(css), f"{text!r} in {css}")

    # --- doing

    def click(self, css):
        self.one(css).click()

    def keys(self, *keys):
        """To whatever has the focus."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def chord(self, hold, key):
        ActionChains(self.driver).key_down(hold).send_keys(key).key_up(hold).perform()

    def focused(self):
        return self.js("const e = document.activeElement; return e.getAttribute('aria-label') || e.innerText || e.tagName")
