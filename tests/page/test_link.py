# SPDX-License-Identifier: Apache-2.0
"""What the page says when it does not know: a lost connection, a lost API process, an unsound host."""
import os
import signal

import pytest

from browser import Forward
from host import B, Host, config, send

HELLO = config("hello.elf")


@pytest.fixture
def page(browser, forward, host):
    host.define("web", HELLO)
    browser.open(forward.url + "/")
    browser.until_text("#link", "live")
    browser.one("[data-vm=web]")
    browser.expect("ERR_", "503", "504")  # what the network does is told by the browser, too
    return browser


def test_what_is_old_is_said_to_be_old_and_nothing_can_be_asked(page, forward, host):
    path, forward.path = forward.path, "/nowhere"
    try:
        forward.cut()
        page.until_text("[data-banner=stale]", "Stale since")
        assert page.text("#link") == "stale"
        page.shot("stale")
        grey = page.js("return getComputedStyle(document.querySelector('.body')).filter")
        assert "grayscale" in grey
        button = "document.querySelector('[data-vm=web] [data-verb=start]')"
        page.until(lambda: page.js(f"return {button}.ariaDisabled") == "true", "a button of an old view is off")
        page.click("[data-vm=web] [data-verb=start]")
        assert not page.all("dialog")
        host.define("later", HELLO)  # while nobody listens
    finally:
        forward.path = path
    page.until_text("#link", "live")
    page.until(lambda: not page.all("[data-banner=stale]"), "the banner goes")
    page.until_text(".vms", "later")
    page.until(lambda: page.all("#events a[href='#/vm/later']"), "the event is not missed")
    page.until(lambda: page.js(f"return {button}.ariaDisabled") == "false", "and on again")


def api_of(host):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
                _, _, rest = f.read().rpartition(")")
            if int(rest.split()[1]) == host.process.pid and os.readlink(f"/proc/{pid}/exe") == f"{B}/qvm-api":
                return int(pid)
        except OSError:
            continue
    raise AssertionError("qvmd has no qvm-api")


def test_an_api_process_that_is_killed_is_back_and_no_event_is_missed_or_told_twice(page, host):
    page.js("window.words = []; new MutationObserver(() => words.push(document.getElementById('link').innerText))"
            ".observe(document.getElementById('link'), {childList: true, characterData: true, subtree: true})")
    send(api_of(host), "SIGKILL")
    page.until_text("#events", "api-lost")
    page.until_text("#link", "live")
    assert "stale" in page.js("return words"), "it was said meanwhile"
    host.verb("web", "start")
    page.until(lambda: page.js("return document.querySelector('[data-vm=web]').dataset.observed") == "running", "it is live again")
    seqs = page.js("return [...document.querySelectorAll('#events li')].map((e) => Number(e.dataset.seq))")
    assert seqs == list(range(seqs[0], seqs[0] - len(seqs), -1)), seqs


def change(host, n):
    for i in range(n):
        assert host.request("PATCH", "/v1/vms/web", {"policy": {"start_order": i % 2 + 5}}).status == 200


def away(page, forward, deed):
    path, forward.path = forward.path, "/nowhere"
    forward.cut()
    page.until_text("#link", "stale")
    deed()
    forward.path = path
    page.until_text("#link", "live")


def told(page):
    return page.js("return [...document.querySelectorAll('#events li')].map((e) => [Number(e.dataset.seq), e.dataset.kind])")


def test_no_event_is_missed_over_an_absence_or_it_is_said_which(page, forward, host):
    away(page, forward, lambda: change(host, 130))
    newest = host.events()[-1]["seq"]
    page.until(lambda: told(page)[0][0] == newest, "the newest is there")
    seqs = [seq for seq, _ in told(page)]
    assert len(seqs) > 130 and seqs == list(range(newest, newest - len(seqs), -1)), seqs
    away(page, forward, lambda: change(host, 310))
    newest = host.events()[-1]["seq"]
    page.until(lambda: told(page)[0][0] == newest, "the newest is there")
    [left_out] = [seq for seq, kind in told(page) if kind == "left-out"]
    words = page.text("#events [data-kind=left-out]")
    seqs = [seq for seq, kind in told(page) if kind != "left-out"]
    after = min(seq for seq in seqs if seq > left_out)
    assert f"{left_out} to {after - 1} are not shown" in words and f"--since {left_out}" in words, words
    assert seqs[:100] == list(range(newest, newest - 100, -1)) and seqs[100] == left_out - 1, seqs


def test_events_of_a_machine_are_its_newest_however_busy_the_host_is(page, forward, host):
    host.define("quiet", HELLO)
    change(host, 120)
    page.open(f"{forward.url}/#/vm/quiet/events")
    page.driver.refresh()
    page.until_text(".section .events", "defined")
    page.until_text("#link", "live")
    host.verb("quiet", "start")
    page.until_text(".section .events", "started")
    mine = [e["seq"] for e in host.events() if e["vm"] == "quiet"]
    page.until(lambda: page.js("return [...document.querySelectorAll('.section li')].map((e) => Number(e.dataset.seq))") == mine[::-1], mine)
    host.verb("quiet", "kill")


def test_the_safe_state_of_the_host_is_on_the_page_and_left_there(page, host):
    lock = f"{host.run}/qvmd.lock"
    os.rename(lock, lock + ".away")
    page.until_text("[data-banner=host-safe]", "Host safe state")
    page.shot("host-safe")
    page.click("[data-banner=host-safe] button")
    page.click("dialog .harsh")
    page.until(lambda: page.text("dialog .said"), "the host says that it does not hold yet")
    os.rename(lock + ".away", lock)
    page.click("dialog .harsh")
    page.until(lambda: not page.all("[data-banner=host-safe]"), "the banner goes")
    assert host.get("/v1/host").json["state"] == "sound"


WAITS = """
const done = arguments[0];
import('/page/store.js').then(({ store }) => {
    window.waits = [];
    store.addEventListener('link', () => store.link.word === 'lost' && window.waits.push(store.link.retryAt - Date.now()));
    done();
});
"""


def test_a_host_that_is_asked_too_often_says_so_and_is_asked_no_sooner_than_it_says(browser):
    with Host(**{"requests-per-second": 2, "request-burst": 8}) as host, Forward(host.socket) as forward:
        secret = host.post("/v1/tokens/slow", {"role": "reader"}).json["secret"]

        def another_asks():
            return host.get("/v1/vms", Authorization=f"Bearer {secret}").status == 429
        browser.expect("429", "ERR_")
        browser.open(forward.url + "/")
        browser.until_text("#link", "live")
        browser.js("sessionStorage.setItem('qvm-token', arguments[0])", secret)
        browser.driver.refresh()
        browser.until_text("#who", "token slow")
        browser.driver.execute_async_script(WAITS)
        browser.until(lambda: another_asks() and browser.text("[data-banner=stale]"), "it is refused")
        assert "'slow' may send requests at 2 a second" in browser.text("[data-banner=stale]")
        assert browser.js("return waits[0]") > 600, "Retry-After is 1 s; without it, it would be 600 ms at most"
        browser.driver.refresh()
        browser.until(lambda: another_asks() and "Asked too often" in browser.text("[data-banner=stale]"), "it begins with that")
        browser.shot("too-often")
        browser.click("#account")  # signed out, it is another that asks
        browser.until_text("#link", "live")


def test_what_the_host_is_slow_to_answer_is_said_to_be_asked_for(page, host):
    host.define("patient", HELLO)
    page.click("[data-vm=patient] [data-verb=start]")
    os.kill(host.process.pid, signal.SIGSTOP)
    try:
        page.click("dialog .yes")
        page.until_text("dialog", "there is no answer yet")
        page.shot("slow")
    finally:
        os.kill(host.process.pid, signal.SIGCONT)
    page.until(lambda: not page.all("dialog"), "it is done")
    assert host.vm("patient")["desired"] == "running"
