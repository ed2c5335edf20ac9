# SPDX-License-Identifier: Apache-2.0
"""Who may see and do what through a browser: tokens, other sites, names that are not this host's, the files."""
import functools
import http.client
import http.server
import os
import re
import threading

import pytest
from selenium.webdriver.common.keys import Keys

from host import ROOT, Unix, config
from secure import Secure

HELLO = config("hello.elf")
PAGE = os.path.join(ROOT, "api", "page")
BROWSER = {"User-Agent": "Mozilla/5.0 (X11)"}


def ask(host, method, path, body=None, **headers):
    """Not held against the document: the page is no part of it. (status, headers, body)"""
    c = Unix(host.socket)
    c.request(method, path, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})
    r = c.getresponse()
    answer = r.status, r.headers, r.read()
    c.close()
    return answer


# --- the files


def assets():
    with open(f"{PAGE}/assets.def", encoding="utf-8") as f:
        text = f.read()
    return re.findall(r'^ASSET\(\w+, "([^"]+)"', text, re.M) + [f"/page/{m}.js" for m in re.findall(r"^MODULE\((\w+)\)", text, re.M)]


def test_each_file_is_served_guarded_and_only_once(host):
    for path in assets():
        status, headers, body = ask(host, "GET", path)
        assert (status, headers["Cache-Control"], headers["X-Content-Type-Options"]) == (200, "no-cache", "nosniff"), path
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
        assert headers["Referrer-Policy"] == "no-referrer" and body
        again = ask(host, "GET", path, If_None_Match=headers["ETag"])
        assert (again[0], again[2], again[1]["ETag"]) == (304, b"", headers["ETag"]), path
        assert ask(host, "HEAD", path)[1]["Content-Length"] == str(len(body))
    assert ask(host, "POST", "/", "x=1")[0] in (400, 405)
    status, headers, _ = ask(host, "DELETE", "/page/main.js")
    assert (status, headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert ask(host, "OPTIONS", "/")[0] == 204
    assert ask(host, "GET", "/page/../main.js")[0] == ask(host, "GET", "/page/")[0] == 404


def test_each_file_of_the_folder_is_in_the_table_and_imports_only_what_is_there():
    known = set(assets())
    for name in os.listdir(PAGE):
        if name.endswith((".js", ".css", ".svg")):
            assert f"/page/{name}" in known, name
            with open(f"{PAGE}/{name}", encoding="utf-8") as f:
                for path in re.findall(r"(?:from |import\()'([^']+)'", f.read()):
                    assert path in known, (name, path)


def test_the_words_of_the_page_are_those_of_the_document(host, browser, forward):
    told = host.document.root["components"]["schemas"]["vm"]["properties"]
    browser.open(forward.url + "/")
    tones, near, pairs, harsh, roles = browser.driver.execute_async_script(
        "const done = arguments[0]; import('/page/words.js').then((w) => done([w.tones, w.near, w.ofPairs, w.harsh, w.roles]))")
    for of in ("observed", "health"):
        assert set(tones[of]) == set(told[of]["enum"]), of
    assert set(near) == set(told["observed"]["enum"])
    assert ["anyone", *host.document.root["components"]["schemas"]["caller"]["properties"]["role"]["enum"]] == roles
    verbs = {o.path.rsplit("/", 1)[1] for o in host.document.operations if o.method == "POST" and o.path.startswith("/v1/vms/{vm}/")}
    assert {v for offered in near.values() for v in offered} | set(pairs) | set(harsh) <= verbs
    with open(f"{ROOT}/schemas/lifecycle.def", encoding="utf-8") as f:
        steps = set(re.findall(r"^STEP\((\w+),\s*(\w+),", f.read(), re.M))
    for observed, offered in near.items():
        for verb in offered:
            assert (observed.upper(), verb.replace("-", "_").upper()) in steps, f"{verb} is refused when {observed}"


# --- other sites


@pytest.fixture(scope="module")
def web(host):
    host.define("web", HELLO)
    return "web"


@pytest.mark.parametrize("headers", [
    {"Host": "evil.example"}, {"Host": "localhost.evil.example:8080"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
    {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://localhost:1"}, BROWSER, {"Referer": "http://evil.example/"}])
def test_a_request_that_another_site_may_have_sent_is_refused(host, web, headers):
    a = host.post(f"/v1/vms/{web}/start", **headers)
    assert a.status == 403 and a.json["type"] == "urn:qvm:error:origin" and a.json["hint"], a
    assert host.vm(web)["observed"] == "stopped"
    if set(headers) & {"Host", "Sec-Fetch-Site", "Origin"}:
        assert host.get("/v1/vms", **headers).status == 403


def test_the_page_itself_and_programs_are_let_in(host, web):
    own = {"Host": "localhost:8080", "Origin": "http://localhost:8080", "Sec-Fetch-Site": "same-origin", **BROWSER}
    assert host.get("/v1/vms", **own).status == 200
    assert host.post(f"/v1/vms/{web}/reset-budget", **own).status == 403
    assert host.post(f"/v1/vms/{web}/reset-budget", **own, **{"Request-Id": "00000000000000aa"}).status == 202
    assert host.post(f"/v1/vms/{web}/reset-budget").status == 202
    status, headers, _ = ask(host, "GET", "/", Host="evil.example")
    assert status == 403 and "Content-Security-Policy" not in headers


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def evil_site(tmp_path, forward, web):
    """Another site in the same browser, with a form, a script and a frame that mean this host."""
    target = f"{forward.url}/v1/vms/{web}"
    (tmp_path / "index.html").write_text(
        f"<!DOCTYPE html><link rel=icon href=data:,><form id=f method=post action='{target}/start'><button>win</button></form>"
        f"<form id=t method=post enctype=text/plain action='{target}/console'><input name=a value=b></form>", encoding="utf-8")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_address[1]}/", target
    server.shutdown()
    server.server_close()


def test_another_site_in_the_same_browser_can_do_nothing(browser, host, web, evil_site):
    site, target = evil_site
    browser.expect("CORS", "403", "ERR_FAILED", "blocked")
    for form in ("f", "t"):
        browser.open(site)
        browser.js(f"document.getElementById('{form}').submit()")
        browser.until_text("body", "urn:qvm:error:origin")
    browser.open(site)
    seen = browser.driver.execute_async_script("""
        const [target, done] = arguments;
        const ways = [{method: 'POST', mode: 'no-cors'}, {method: 'POST', headers: {'Request-Id': '00000000000000ab'}}, {mode: 'cors'}];
        Promise.all(ways.map((w) => fetch(target + (w.method ? '/start' : ''), w).then((a) => a.type + a.status, (e) => e.name)))
            .then(done)""", target)
    assert seen == ["opaque0", "TypeError", "TypeError"], seen
    assert host.vm(web)["observed"] == "stopped"
    assert not [e for e in host.get("/v1/audit?vm=web").json["entries"] if e["op"] in ("vm_start", "vm_type")]


# --- who is signed in


def sign_in(browser, secret):
    browser.click("#account")
    browser.one("#token").send_keys(secret + "\n")
    browser.until(lambda: not browser.all("dialog"), "signed in")


def is_off(browser, css):
    return browser.js("const b = document.querySelector(arguments[0]); return [b.ariaDisabled, b.title]", css)


def test_who_looks_is_shown_and_what_it_may_not_is_off_and_says_why(browser, host, forward, web):
    """A token at the unix socket is its role, whoever the user is."""
    start, why = "[data-vm=web] [data-verb=start]", "This takes the role operator; token guest has the role reader."
    browser.expect("401")
    browser.open(forward.url + "/")
    browser.until(lambda: " ".join(browser.text("#who").split()) == f"uid {os.getuid()} · admin", "who looks is shown")
    browser.until(lambda: is_off(browser, start)[0] == "false", "an admin may")
    sign_in(browser, host.post("/v1/tokens/guest", {"role": "reader"}).json["secret"])
    browser.until(lambda: " ".join(browser.text("#who").split()) == "token guest · reader", "who looks is shown")
    browser.until(lambda: is_off(browser, start) == ["true", why], "it is off, and says why")
    browser.one(start).send_keys("\n")  # reached by keys all the same, and then says it to who cannot point
    assert browser.one("dialog h2").text == "Start web" and why in browser.text("dialog") and not browser.all("dialog .yes")
    browser.click("dialog button")
    browser.one("#who").send_keys("\n")
    told = browser.text("dialog")
    assert all(t in told for t in ("token guest", "reader", "all machines", "look on", "Start, Stop")), told
    browser.shot("who")
    browser.click("dialog button")
    browser.size(360, 780, 2)
    assert browser.js("return document.documentElement.scrollWidth") <= 360
    browser.shot("who-phone")
    browser.open(forward.url + "/#/vm/web/console")
    browser.until_text(".console-line", f"You look on. {why}")
    assert not [b for b in browser.all(".verbs button") if b.get_attribute("aria-disabled") != "true"]
    browser.open(forward.url + "/#/")
    host.delete("/v1/tokens/guest")
    browser.until_text("dialog .why", "You were signed out")
    assert "no token has that secret" in browser.text("dialog") and not browser.text("#who")
    browser.shot("signed-out")
    browser.one("#token").send_keys(host.post("/v1/tokens/driver", {"role": "operator", "vms": "w*"}).json["secret"] + "\n")
    browser.until(lambda: " ".join(browser.text("#who").split()) == "token driver · operator", "who looks is shown")
    browser.until(lambda: is_off(browser, start)[0] == "false", "an operator may")
    assert not [e for e in host.get("/v1/audit?vm=web").json["entries"] if e["op"] in ("vm_start", "vm_type")]


OUTSIDE = """
return [...document.querySelectorAll(arguments[0])].filter((e) => e.getBoundingClientRect().right > innerWidth).map((e) => e.innerText);
"""


def test_the_longest_names_leave_everything_in_its_place(browser, host, forward):
    vm = "x" * 63
    host.define(vm, HELLO)
    secret = host.post(f"/v1/tokens/{'t' * 63}", {"role": "reader"}).json["secret"]
    browser.open(forward.url + "/")
    browser.until_text("#events", vm)
    assert browser.js("const l = document.querySelector('.rail .log'); return l.scrollWidth - l.clientWidth") == 0
    browser.size(360, 780, 2)
    browser.js("sessionStorage.setItem('qvm-token', arguments[0]); location.hash = `#/vm/${arguments[1]}/console`", secret, vm)
    browser.driver.refresh()
    browser.until_text(".console-line", "You look on")
    browser.until_text("#who", "reader")
    assert not browser.js(OUTSIDE, "#who span:last-child, .toolbar button, h1, .verbs button")
    browser.shot("longest-names")
    host.delete(f"/v1/vms/{vm}")


# --- over TCP


@pytest.fixture
def secure(tmp_path):
    with Secure(tmp_path) as s:
        yield s


def test_over_tls_a_token_is_asked_for_and_kept_out_of_addresses(browser, secure):
    url = f"https://127.0.0.1:{secure.port}/"
    secure.host.define("web", HELLO)
    secure.host.define("other", HELLO)
    secret = secure.host.post("/v1/tokens/panel", {"role": "operator", "vms": "w*"}).json["secret"]
    browser.expect("401", "403")
    browser.open(url)
    browser.until_text("dialog h2", "Sign in")
    assert "web" not in browser.text("body") and "Sign in to see" in browser.text("main"), "nothing is shown to nobody"
    browser.keys("not-a-secret\n")
    browser.until_text("dialog .said", "no token has that secret")
    browser.shot("sign-in")
    browser.js("document.getElementById('token').value = ''")
    browser.one("#token").send_keys(secret + "\n")
    browser.until_text("#link", "live")
    browser.until_text(".vms", "web")
    assert "other" not in browser.text(".vms"), "the token is for some machines"
    browser.click("[data-vm=web] [data-verb=start]")
    browser.click("dialog .yes")
    browser.until(lambda: browser.js("return document.querySelector('[data-vm=web]').dataset.observed") == "running", "it is started")
    entry = secure.host.until(lambda: [e for e in secure.host.get("/v1/audit?vm=web").json["entries"] if e["op"] == "vm_start"], "it is on record")
    assert entry[0]["identity"] == "panel"
    addresses = browser.js("return performance.getEntries().map((e) => e.name).concat(location.href)")
    assert not [a for a in addresses if secret in a]
    assert browser.js("return [localStorage.length, document.cookie, sessionStorage.getItem('qvm-token')]") == [0, "", secret]
    browser.driver.refresh()
    browser.until_text(".vms", "web")
    # The token is gone: the page goes blank and asks.
    secure.host.delete("/v1/tokens/panel")
    browser.until_text("dialog h2", "Sign in")
    assert "web" not in browser.text("main")


def test_who_signs_out_leaves_nothing_open(browser, secure):
    secure.host.define("open", config("echo.elf"))
    secure.host.verb("open", "start")
    secret = secure.host.post("/v1/tokens/leaver", {"role": "operator"}).json["secret"]
    browser.expect("401", "xterm.js", "WebSocket")
    browser.cdp("Network.setBlockedURLs", urls=["*/page/xterm.js"])
    browser.open(f"https://127.0.0.1:{secure.port}/#/vm/open/console")
    browser.one("#token").send_keys(secret + "\n")
    browser.until_text(".console-state", "live")
    browser.click(".type input")
    browser.keys("before\n")
    secure.host.until_console("open", "before")
    browser.js("window.field = document.querySelector('.type input'); window.form = document.querySelector('form.type')")
    browser.click("#account")
    browser.until_text("dialog h2", "Sign in")
    browser.keys(Keys.ESCAPE)
    browser.until_text("main", "Sign in to see")
    assert not browser.all(".console-state") and "open" not in browser.text("main")
    # The form that somebody may hold yet leads nowhere.
    browser.js("field.value = 'after'; document.body.append(form); form.requestSubmit()")
    browser.click("#account")
    browser.one("#token").send_keys(secret + "\n")
    browser.until_text(".console-state", "live")
    assert "after" not in secure.host.console("open")
