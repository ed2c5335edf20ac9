# SPDX-License-Identifier: Apache-2.0
"""The console of the page: a real guest is typed at, and answers."""
import pytest
from selenium.webdriver.common.keys import Keys

from host import EXAMPLES, config


@pytest.fixture(scope="module")
def guest(host):
    with open(f"{EXAMPLES}/hello.qvmconf", encoding="utf-8") as f:
        answer = host.put("/v1/vms/hello", {"config": f.read(), "folder": EXAMPLES})
    assert answer.status == 201, answer
    host.verb("hello", "start")
    host.until_console("hello", "I repeat")
    return "hello"


def drawn(browser):
    return browser.js("return document.querySelector('.xterm-text-layer').toDataURL()")


def test_a_guest_is_typed_at_on_a_terminal_and_answers(browser, forward, host, guest):
    browser.open(f"{forward.url}/#/vm/{guest}/console")
    browser.until_text(".console-state", "live")
    browser.one(".xterm-text-layer")
    browser.click(".screen.terminal")
    before = drawn(browser)
    browser.keys("does anybody hear me", Keys.ENTER)
    host.until_console(guest, "does anybody hear me\n")
    browser.until(lambda: drawn(browser) != before, "the terminal draws the answer")
    browser.shot("console")
    assert browser.js("return document.activeElement.tagName") == "TEXTAREA"
    browser.chord(Keys.SHIFT, Keys.TAB)
    browser.until(lambda: browser.js("return document.activeElement.tagName") != "TEXTAREA", "the keyboard leaves the terminal")


def test_without_xterm_there_is_text_and_a_line(browser, forward, host, guest):
    browser.cdp("Network.setBlockedURLs", urls=["*/page/xterm.js"])
    browser.expect("xterm.js")
    browser.open(f"{forward.url}/#/vm/{guest}/console")
    browser.until_text("pre.plain", "I repeat")
    browser.click(".type input")
    browser.keys("and who are you ‖ ünïcode", Keys.ENTER)
    browser.until_text("pre.plain", "and who are you ‖ ünïcode")
    assert browser.js("return document.querySelector('.type input').value") == ""
    browser.shot("console-plain")


def test_text_can_be_chosen_and_stays(browser, forward, guest):
    browser.open(f"{forward.url}/#/vm/{guest}/console")
    browser.one(".xterm-text-layer")
    browser.click(".toolbar button")
    browser.until_text("pre.plain", "I repeat")
    browser.driver.refresh()
    browser.until_text("pre.plain", "I repeat")
    browser.js("localStorage.clear()")


def test_a_restart_of_the_guest_is_followed(browser, forward, host, guest):
    browser.cdp("Network.setBlockedURLs", urls=["*/page/xterm.js"])
    browser.expect("xterm.js")
    browser.open(f"{forward.url}/#/vm/{guest}/console")
    browser.until_text(".console-state", "live")
    host.verb(guest, "stop")
    browser.until_text("pre.plain", "Goodbye, the power button was pressed")
    host.verb(guest, "start")
    browser.until(lambda: browser.text("pre.plain").count("Hello!") == 2, "the next worker's words follow")


def test_what_was_typed_at_nobody_is_told(browser, forward, host):
    host.define("silent", config("hello.elf"))
    browser.cdp("Network.setBlockedURLs", urls=["*/page/xterm.js"])
    browser.expect("xterm.js", "409")
    browser.open(f"{forward.url}/#/vm/silent/console")
    browser.click(".type input")
    browser.keys("hello?", Keys.ENTER)
    browser.until_text(".note", "What you typed was not taken.")
