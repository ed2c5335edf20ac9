# SPDX-License-Identifier: Apache-2.0
"""The page as somebody sees it who is in charge of some machines: what it shows, what can be done there."""
import pytest
from selenium.webdriver.common.keys import Keys

from host import config, send

HELLO = config("hello.elf")
PHONE = (360, 780, 2)


@pytest.fixture(scope="module")
def brake(host):
    host.define("brake", HELLO, restart_delay_ms=1500)
    host.define("cabin", HELLO)
    host.define("gateway", config("touch.elf", "unsupported reference abort"), on_failure="stop")
    host.verb("gateway", "start")
    host.until_vm("gateway", observed="safe")
    return "brake"


@pytest.fixture
def running(host, brake):
    host.verb(brake, "start")
    host.until_vm(brake, observed="running")
    return brake


@pytest.fixture
def page(browser, forward, brake):
    browser.open(forward.url + "/")
    browser.until_text("#link", "live")
    browser.one(f"[data-vm={brake}]")
    return browser


def state(page, vm):
    return page.js("return document.querySelector(arguments[0]).dataset.observed", f".vm[data-vm={vm}]")


def until_state(page, vm, observed):
    page.until(lambda: state(page, vm) == observed, f"{vm} is shown as {observed}")


def test_a_crash_and_the_recovery_are_seen_live(host, running, page):
    until_state(page, running, "running")
    page.js("window.isTheSamePage = true")
    page.until(lambda: "/s" in page.text(f"[data-vm={running}] .rate"), "exits are counted")
    send(host.vm(running)["pid"], "SIGKILL")
    until_state(page, running, "safe")
    assert "SIGKILL" in page.text(f"[data-vm={running}] .why")
    page.shot("crash")
    until_state(page, running, "running")
    page.until_text(".events", "restart")
    assert page.all(f".events [data-kind=safe][data-tone=bad] a[href='#/vm/{running}/incidents']")
    seqs = page.js("return [...document.querySelectorAll('#events li')].map((e) => Number(e.dataset.seq))")
    assert seqs == sorted(set(seqs), reverse=True), seqs
    assert page.js("return window.isTheSamePage")


def test_the_incident_is_told_in_full(page, host, brake):
    told = host.incidents("gateway")[0]
    page.click("[data-vm=gateway] .name")
    page.until(lambda: page.all(".tabs a"), "the machine is shown")
    page.keys("2")
    page.until_text(".incident", told["sentence"])
    shown = page.text(".incident[open]")
    registers = told["vcpus"][0]["registers"]
    for text in (told["sentence"], told["reaction"], told["cause"], registers["rip"], registers["rax"],
                 told["exits"][-1]["address"], told["exits"][-1]["rip"]):
        assert text in shown, (text, shown)
    page.shot("incident")


def test_nothing_is_asked_for_without_a_yes(host, brake, page):
    host.verb(brake, "kill")
    until_state(page, brake, "stopped")
    page.click(f"[data-vm={brake}] [data-verb=start]")
    assert f"Start {brake}?" in page.one("dialog h2").text
    assert "first instruction" in page.text("dialog")
    page.click("dialog .quiet")
    page.until(lambda: not page.all("dialog"), "the question is away")
    assert host.vm(brake)["observed"] == "stopped"
    page.click(f"[data-vm={brake}] [data-verb=start]")
    page.shot("question")
    page.click("dialog .yes")
    until_state(page, brake, "running")
    host.until(lambda: host.get(f"/v1/audit?vm={brake}").json["entries"][:1], "it is on record")
    assert host.get(f"/v1/audit?vm={brake}").json["entries"][0]["op"] == "vm_start"


def test_each_verb_of_the_document_is_in_the_menu_and_a_refusal_says_what_is_possible(host, running, page):
    page.open(page.driver.current_url.split("#")[0] + f"#/vm/{running}")
    shown = page.until(lambda: set(page.js(
        "return [...document.querySelectorAll('.vm-head [data-verb]')].map((e) => e.dataset.verb)")), "the verbs are there")
    told = {o.path.rsplit("/", 1)[1] for o in host.document.operations
            if o.path.startswith("/v1/vms/{vm}/") and "wait" in [p["name"] for p in o.item["parameters"]]}
    assert shown == told - {"takeover", "give-back"}  # of pairs
    page.click(".more summary")
    page.click(".more [data-verb=resume]")
    host.verb(running, "kill")
    page.click("dialog .yes")
    page.until_text("dialog .said", "start")
    page.keys(Keys.ESCAPE)
    page.until(lambda: not page.all("dialog"), "the question is away")
    page.expect("409")


def test_a_standby_takes_over_when_it_is_asked_to(host, page, forward):
    host.define("left", HELLO)
    host.define("right", HELLO, standby="left")
    host.verb("right", "start")
    page.open(forward.url + "/#/vm/right")
    page.until_text(".vm-head", "primary, active, with left")
    page.click(".more summary")
    page.click(".more [data-verb=takeover]")
    page.until(lambda: page.focused() == "Cancel", "what can cost a guest its work begins at no")
    page.click("dialog .harsh")
    page.until(lambda: not page.all("dialog"), "it is done")
    page.open(forward.url + "/#/")
    until_state(page, "left", "running")
    assert "standby of a pair with right, active" in page.text("[data-vm=left]")
    for vm in ("left", "right"):
        host.verb(vm, "kill")
    host.delete("/v1/vms/right")
    host.delete("/v1/vms/left")
    page.until(lambda: not page.all("[data-vm=left], [data-vm=right]"), "what is deleted goes")


def test_what_the_host_offers_is_told(host, page):
    page.click("#hostname")
    facts = host.get("/v1/host").json["facts"]
    for fact in ("hostname", "kernel"):
        assert facts[fact] in page.text("dialog"), fact
    page.keys(Keys.ESCAPE)


def test_it_is_done_by_keys_alone(host, brake, page):
    host.verb(brake, "kill")
    until_state(page, brake, "stopped")
    page.keys(Keys.TAB)
    assert page.focused() == "Skip to the machines"
    page.keys(Keys.ENTER, "?")
    page.until_text("dialog h2", "Keys")
    page.keys(Keys.ESCAPE)
    page.until(lambda: not page.all("dialog"), "Escape closes it")
    page.keys("j")
    assert page.focused() == brake  # the first of the list
    outline = page.js("return getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "the focus can be seen"
    page.keys("a")
    assert page.focused() == f"Start {brake}"
    page.keys(Keys.ENTER)
    page.one("dialog")
    page.keys(Keys.ENTER)
    until_state(page, brake, "running")
    page.keys("k", Keys.ENTER)
    page.until_text("h1", brake)
    page.keys("4")
    page.until_text(".section pre", "ser8250")
    page.keys("a")
    page.until(lambda: page.focused() == f"Stop {brake}", "the verbs of the machine")
    page.keys(Keys.ENTER)
    page.one("dialog")
    page.keys(Keys.ESCAPE, "u")
    page.until_text("h1", "Machines")
    page.keys("/")
    page.until(lambda: page.focused().startswith("Filter"), "the filter has the focus")
    page.keys("cab?j")
    assert not page.all("dialog"), "what is typed is no key of the page"
    page.keys(Keys.BACKSPACE * 2)
    page.until(lambda: [e.text for e in page.all(".vm .name")] == ["cabin"], "the filter is used")
    page.keys(Keys.BACKSPACE * 3)


def test_it_fits_a_phone_and_both_schemes(host, running, page, forward):
    page.size(*PHONE)
    for name in ("#/", f"#/vm/{running}/console", "#/vm/gateway/incidents", f"#/vm/{running}/machine",
                 f"#/vm/{running}/configuration", f"#/vm/{running}/events"):
        page.open(forward.url + "/" + name)
        page.until_text("#link", "live")
        page.until(lambda: page.all(".vm, .section > *"), name)
        assert page.js("return document.documentElement.scrollWidth") <= PHONE[0], name
    page.open(forward.url + "/#/")
    page.one(f"[data-vm={running}]")
    colours = set()
    for scheme in ("light", "dark"):
        page.dark(scheme == "dark")
        page.size(*PHONE)
        page.shot(f"phone-{scheme}")
        page.size(1280, 860)
        page.shot(f"machines-{scheme}")
        above, below = page.js("return ['.name', '.why'].map((c) => document.querySelector('[data-vm=gateway] ' + c)"
                               ".getBoundingClientRect())")
        assert above["bottom"] <= below["top"] + 1 and above["height"] < 2 * 24, "its name is one line above why"
        colours.add(page.js("return getComputedStyle(document.body).backgroundColor"))
    assert len(colours) == 2


def test_a_name_or_a_word_of_a_guest_is_text_and_no_markup(host, page, forward):
    """A configuration, like what a guest prints, may hold anything."""
    evil = HELLO + "# <img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script>\n"
    host.define("evil", evil)
    page.open(forward.url + "/#/vm/evil/configuration")
    page.until_text(".conf", "onerror=")
    assert not page.all(".conf *") and page.driver.title.startswith("evil")


def test_the_configuration_that_is_shown_is_the_one_that_is(page, host, forward):
    page.expect("404")
    host.define("fresh", HELLO)
    page.open(f"{forward.url}/#/vm/fresh/configuration")
    page.until_text(".section", "It has no worker.")
    host.verb("fresh", "start")
    page.until(lambda: "It has no worker." not in page.text(".section"), "its worker is told")
    host.verb("fresh", "kill")
    page.until_text(".section", "It has no worker.")
    assert host.delete("/v1/vms/fresh").status == 204
    host.define("fresh", HELLO + "# another\n")
    page.until_text(".section .conf", "# another")


def test_a_malformed_address_is_a_machine_that_is_not_there(page, forward):
    page.expect("404", "400")
    page.open("about:blank")
    page.open(f"{forward.url}/#/vm/%E0")
    page.until_text("#link", "live")
    page.until_text(".gone", "There is no machine %E0")


def test_a_machine_that_is_not_there_is_said_to_be_none(page, forward):
    page.expect("404")
    page.open(forward.url + "/#/vm/nobody")
    page.until_text(".gone", "There is no machine nobody.")
