# SPDX-License-Identifier: Apache-2.0
"""The console of the page: a real guest is typed at, and answers."""
import pytest
from selenium.webdriver.common.keys import Keys

from host import EXAMPLES, config
from websocket import WebSocket


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


def plain(browser, forward, name):
    browser.cdp("Network.setBlockedURLs", urls=["*/page/xterm.js"])
    browser.open(f"{forward.url}/#/vm/{name}/console")
    browser.until_text(".console-state", "live")
    browser.until_text("pre.plain", "I repeat")


def test_one_types_and_the_page_says_who_and_takes_over_when_asked(browser, forward, host, guest):
    browser.expect("xterm.js")
    with WebSocket(host, guest) as first:
        first.say(type="write", force=True)
        first.until_told("writer", you=True)
        plain(browser, forward, guest)
        browser.until_text(".console-writer", "uid 0 types; you look on.")
        browser.click(".type input")
        browser.keys("not mine", Keys.ENTER)
        browser.until_text(".note", "uid 0 types; first take the keyboard")
        browser.keys(Keys.ENTER)  # nothing that is typed on becomes a click
        assert browser.js("return document.activeElement.tagName") == "INPUT"
        assert browser.js("return document.querySelector('.type input').value") == "not mine"
        first.type("by the first\r")
        browser.until_text("pre.plain", "by the first")
        browser.shot("console-viewer")
        browser.size(360, 740)
        browser.shot("console-viewer-phone")
        browser.size(1280, 860)
        browser.click("button.take")
        first.until_told("writer", you=False)
        browser.until(lambda: browser.text(".console-writer") == "", "nobody else types")
        assert not browser.all(".note")
        browser.click(".type input")
        browser.keys(Keys.ENTER)
        first.until_output("not mine\n")
        assert browser.text("pre.plain").count("by the first") == 1


def test_what_is_typed_on_at_a_terminal_of_anothers_is_neither_sent_nor_a_click(browser, forward, host, guest):
    with WebSocket(host, guest) as first:
        first.say(type="write", force=True)
        first.until_told("writer", you=True)
        browser.open(f"{forward.url}/#/vm/{guest}/console")
        browser.until_text(".console-writer", "uid 0 types; you look on.")
        browser.one(".xterm-text-layer")
        browser.click(".screen.terminal")
        browser.keys("rm -rf /tmp/1u", Keys.ENTER)
        browser.until_text(".note", "uid 0 types; first take the keyboard")
        assert browser.js("return document.activeElement.tagName") == "TEXTAREA"
        assert browser.js("return location.hash") == f"#/vm/{guest}/console"
        first.type("still mine\r")
        first.until_output("still mine\n")
    assert "/tmp/1u" not in host.console(guest)


PIECES = """
const done = arguments[arguments.length - 1], pieces = arguments[0];
import('/page/plain.js').then(({ plainScreen }) => {
    const screen = plainScreen('x', () => true);
    for (const piece of pieces)
        screen.write(new TextEncoder().encode(piece));
    done(screen.element.querySelector('pre').textContent);
});
"""


@pytest.mark.parametrize("whole,text", [
    ("a\x1b[1;31mred\x1b[0m\r\nb\n", "ared\nb\n"), ("\x1b]0;a title\x07b\x1b]2;c\x1b\\d\x1bPq\x1b\\e\n", "bde\n"),
    ("1%\r2%\r\n\x1b(Bk\x1b=l\x07\n", "1%\n2%\nkl\n"), ("\x1b[?25l\x1b[12;3Hü‖\x1b[38:5:1mz\n", "ü‖z\n")])
def test_sequences_are_left_out_of_the_text_wherever_they_are_cut(browser, forward, whole, text):
    browser.open(forward.url + "/")

    def shown(*pieces):
        return browser.driver.execute_async_script(PIECES, pieces)
    assert shown(whole) == text
    assert shown(*whole) == text
    for cut in range(1, len(whole)):
        assert shown(whole[:cut], whole[cut:]) == text, cut


def test_a_sequence_without_end_does_not_hold_back_what_follows(browser, forward):
    browser.open(forward.url + "/")
    assert browser.driver.execute_async_script(PIECES, ["\x1b]0;", "x" * 5000, "y\n"]).endswith("xy\n")


def test_a_lost_connection_is_said_and_gone_on_with_without_loss_or_repetition(browser, forward, host, guest):
    browser.expect("xterm.js", "ERR_", "WebSocket", "503", "504")
    plain(browser, forward, guest)
    path, forward.path = forward.path, "/nowhere"
    try:
        forward.cut()
        browser.until_text(".console-state", "Trying again in")
        browser.click(".type input")
        browser.keys("lost?", Keys.ENTER)
        browser.until_text(".note", "Not connected")
        assert browser.js("return document.querySelector('.type input').value") == "lost?"
        with WebSocket(host, guest) as meanwhile:
            meanwhile.type("meanwhile\r")
            meanwhile.until_output("meanwhile\n")
    finally:
        forward.path = path
    browser.until_text(".console-state", "live")
    browser.until_text("pre.plain", "meanwhile")
    printed = host.get(f"/v1/vms/{guest}/console").body.decode().replace("\r", "")
    shown = browser.js("return document.querySelector('pre.plain').textContent")
    assert shown.count("meanwhile") == printed.count("meanwhile") and shown.count("Hello!") == printed.count("Hello!")


def test_a_long_paste_is_typed_whole(browser, forward, host):
    host.define("echo", config("echo.elf"))
    host.verb("echo", "start")
    host.until_console("echo", "echo: type")
    browser.expect("xterm.js")
    browser.cdp("Network.setBlockedURLs", urls=["*/page/xterm.js"])
    browser.open(f"{forward.url}/#/vm/echo/console")
    browser.until_text(".console-state", "live")
    text = "".join(f"{n:05d} " for n in range(400))
    browser.click(".type input")
    browser.cdp("Input.insertText", text=text)
    browser.keys(Keys.ENTER)
    browser.until_text("pre.plain", text)


def test_a_machine_that_is_deleted_ends_its_console(browser, forward, host):
    host.define("brief", config("hello.elf"))
    browser.expect("404")
    browser.open(f"{forward.url}/#/vm/brief/console")
    browser.until_text(".console-state", "live")
    assert host.delete("/v1/vms/brief").status == 204
    browser.until_text(".console-state", "The machine was deleted.")


def test_what_was_typed_at_nobody_is_told(browser, forward, host):
    host.define("silent", config("hello.elf"))
    browser.cdp("Network.setBlockedURLs", urls=["*/page/xterm.js"])
    browser.expect("xterm.js", "409")
    browser.open(f"{forward.url}/#/vm/silent/console")
    browser.click(".type input")
    browser.keys("hello?", Keys.ENTER)
    browser.until_text(".note", "What you typed was not taken.")
