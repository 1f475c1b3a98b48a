"""The console in a real browser: with and without a mouse, on a phone, in the dark, with and without scripts."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.expected_conditions import number_of_windows_to_be, presence_of_element_located, url_contains
from selenium.webdriver.support.ui import WebDriverWait

from retrieval.domain.escalations import EscalationState
from retrieval.domain.permissions import Principal
from retrieval.domain.roles import Role
from tests.api.conftest import World
from tests.api.identity.conftest import key_of
from tests.web.chromium import PHONE, WIDE, chromium, complaints, missing, served
from tests.web.desk import QUESTION, asks

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing() or "installed")]

SENTENCE = "Everybody may work from abroad for 30 days."


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture
def address(world: World, chrome: Chrome) -> Iterator[str]:
    """The application, and a browser that has no session there."""
    with served(world) as url:
        yield url
        chrome.get(f"{url}/console/sign-in")
        chrome.delete_all_cookies()
        chrome.set_window_size(*WIDE)


def test_sign_in_ask_and_open_the_citation_where_it_stands(chrome: Chrome, address: str, world: World):
    sign_in(chrome, address, key_of(world, "user:ann"))
    chrome.find_element(By.ID, "question").send_keys(QUESTION)
    press(chrome, "Ask")
    wait(chrome).until(url_contains("/console/answer"))
    see(chrome, "p.sentence")
    assert SENTENCE in chrome.find_element(By.CSS_SELECTOR, ".answer").text
    assert chrome.switch_to.active_element.text == "Answer", "whoever cannot see the page is taken to the answer"

    chrome.find_element(By.CSS_SELECTOR, ".sentence sup a").click()
    wait(chrome).until(number_of_windows_to_be(2))
    first, second = chrome.window_handles
    chrome.switch_to.window(second)
    mark = see(chrome, "mark#span")
    assert mark.text == SENTENCE
    assert in_view(chrome, "mark#span")
    assert complaints(chrome) == []
    chrome.close()
    chrome.switch_to.window(first)
    assert complaints(chrome) == []


def test_going_back_shows_the_answer_again(chrome: Chrome, address: str, world: World):
    sign_in(chrome, address, key_of(world, "user:ann"))
    chrome.find_element(By.ID, "question").send_keys(QUESTION)
    press(chrome, "Ask")
    see(chrome, "p.sentence")
    chrome.get(f"{address}/console/questions")
    chrome.back()

    assert see(chrome, "p.sentence").text.startswith(SENTENCE)


def test_claim_amend_and_send(chrome: Chrome, address: str, world: World):
    escalation = asks(world)
    sign_in(chrome, address, key_of(world, "user:dana", Role.USER, Role.REVIEWER))
    chrome.get(f"{address}/console/reviews")
    chrome.find_element(By.LINK_TEXT, QUESTION).click()
    press(chrome, "Work on it")
    text = see(chrome, "#text-0")
    text.clear()
    text.send_keys("Thirty days.")
    press(chrome, "Send the sentences above")
    see(chrome, "#resolved-head")

    told = world.escalations.poll(Principal("ann"), escalation.id)
    assert [sentence.text for sentence in told.sentences] == ["Thirty days."]
    assert [citation.quote for citation in told.citations] == [SENTENCE]
    assert complaints(chrome) == []


def test_a_real_double_click_decides_once(chrome: Chrome, address: str, world: World):
    escalation = asks(world)
    sign_in(chrome, address, key_of(world, "user:dana", Role.USER, Role.REVIEWER))
    chrome.get(f"{address}/console/reviews/{escalation.id}")
    press(chrome, "Work on it")
    see(chrome, "#text-0")
    chrome.execute_script(  # type: ignore[no-untyped-call]
        "const button = document.querySelector('[formaction$=approve]'); button.click(); button.click()"
    )
    see(chrome, "#resolved-head")

    assert "Your decision has been kept." in chrome.page_source
    events = [event.what for event in world.reviews.history(Principal("dana"), escalation.id)]
    assert events.count("decided") == 1


def test_everything_is_done_by_keyboard_alone(chrome: Chrome, address: str, world: World):
    escalation = asks(world)
    chrome.get(f"{address}/console/reviews/{escalation.id}")
    keys(chrome, key_of(world, "user:dana", Role.USER, Role.REVIEWER), Keys.ENTER)
    see(chrome, "h1.question")
    tab_to(chrome, "Skip to the content")
    keys(chrome, Keys.ENTER)
    assert chrome.switch_to.active_element.get_attribute("id") == "main"
    tab_to(chrome, "Work on it")
    assert outlined(chrome), "where the keyboard is can be seen"
    keys(chrome, Keys.ENTER)
    see(chrome, "#decide-head")
    tab_to(chrome, "Approve the draft as it is", most=80)
    keys(chrome, Keys.ENTER)
    see(chrome, "#resolved-head")

    assert world.reviews.item(Principal("dana"), escalation.id).entry.state is EscalationState.ANSWERED


def test_nothing_is_cut_off_on_a_phone(chrome: Chrome, address: str, world: World):
    escalation = asks(world)
    sign_in(chrome, address, key_of(world, "user:dana", Role.USER, Role.REVIEWER))
    chrome.set_window_size(*PHONE)
    narrow = {"width": PHONE[0], "height": PHONE[1], "deviceScaleFactor": 1, "mobile": True}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", narrow)
    world.reviews.claim(Principal("dana"), escalation.id, expected=1)
    for page in ("", "/search", "/reviews", f"/reviews/{escalation.id}", "/statistics", f"/documents/{world.document('travel.txt')}"):
        chrome.get(f"{address}/console{page}")
        widths = chrome.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")  # type: ignore[no-untyped-call]
        assert widths[0] <= widths[1] == PHONE[0], page
        low = [each.text for each in chrome.find_elements(By.CSS_SELECTOR, "button:not(.quiet), .button") if 0 < each.size["height"] < 40]
        assert low == [], "fingers are thick"
    chrome.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(chrome: Chrome, address: str, world: World, scheme: str):
    escalation = asks(world)
    sign_in(chrome, address, key_of(world, "user:dana", Role.USER, Role.REVIEWER))
    world.reviews.claim(Principal("dana"), escalation.id, expected=1)
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    for page in ("", "/reviews", f"/reviews/{escalation.id}", "/statistics", f"/documents/{world.document('travel.txt')}?start=0&end=9"):
        chrome.get(f"{address}/console{page}")
        faint = chrome.execute_script(CONTRAST)  # type: ignore[no-untyped-call]
        assert faint == [], f"{page} in {scheme}"
    ground = chrome.execute_script("return getComputedStyle(document.body).backgroundColor")  # type: ignore[no-untyped-call]
    assert (sum(map(int, ground.removeprefix("rgb(").removesuffix(")").split(","))) < 200) == (scheme == "dark")
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_without_scripts_it_all_works_the_same(world: World, tmp_path: Path):
    escalation = asks(world)
    with served(world) as url, chromium(tmp_path / "profile", scripts=False) as plain:
        sign_in(plain, url, key_of(world, "user:dana", Role.USER, Role.REVIEWER))
        assert plain.execute_script("return typeof htmx") == "undefined"  # type: ignore[no-untyped-call]
        plain.find_element(By.ID, "question").send_keys(QUESTION)
        press(plain, "Ask")
        assert see(plain, "p.sentence").text.startswith(SENTENCE)
        press(plain, "Helpful")
        assert "Thank you" in see(plain, "#feedback").text
        plain.get(f"{url}/console/reviews?mine=true")
        assert plain.find_elements(By.CSS_SELECTOR, ".queue li") == []
        plain.get(f"{url}/console/reviews/{escalation.id}")
        press(plain, "Work on it")
        see(plain, "#decide-head")
        see(plain, "#find").send_keys("manager", Keys.ENTER)
        wait(plain).until(url_contains("find=manager"))
        press(plain, "Add a sentence")
        see(plain, "#text-2")
        press(plain, "Approve the draft as it is")
        see(plain, "#resolved-head")

    assert world.reviews.item(Principal("dana"), escalation.id).entry.state is EscalationState.ANSWERED


CONTRAST = """
const seen = colour => { const [r, g, b, a] = colour.match(/[\\d.]+/g).map(Number); return {r, g, b, a: a === undefined ? 1 : a}; };
const light = ({r, g, b}) => [r, g, b].map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
  .reduce((sum, v, at) => sum + v * [.2126, .7152, .0722][at], 0);
const ground = element => { for (let at = element; at; at = at.parentElement) {
  const colour = seen(getComputedStyle(at).backgroundColor); if (colour.a === 1) return colour; } return {r: 255, g: 255, b: 255}; };
const faint = [];
for (const element of document.querySelectorAll('body *')) {
  if (element.closest('svg') || !element.checkVisibility()) continue;
  if (![...element.childNodes].some(node => node.nodeType === 3 && node.data.trim())) continue;
  const [one, other] = [light(seen(getComputedStyle(element).color)), light(ground(element))];
  const ratio = (Math.max(one, other) + .05) / (Math.min(one, other) + .05);
  if (ratio < 4.5) faint.push(element.tagName + ' ' + element.className + ' ' + ratio.toFixed(2));
}
return faint;
"""
"""Texts with less contrast than WCAG 2.2 asks for at level AA (criterion 1.4.3)."""


def sign_in(driver: Chrome, address: str, key: str) -> None:
    driver.get(f"{address}/console")
    see(driver, "#key").send_keys(key, Keys.ENTER)
    see(driver, ".out")


def press(driver: Chrome, said: str) -> None:
    button = see(driver, f"//button[normalize-space()='{said}']", by=By.XPATH)
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)  # type: ignore[no-untyped-call]
    button.click()


def see(driver: Chrome, what: str, *, by: str = By.CSS_SELECTOR):
    return wait(driver).until(presence_of_element_located((by, what)))


def wait(driver: Chrome) -> WebDriverWait:  # type: ignore[type-arg]
    return WebDriverWait(driver, 10)


def keys(driver: Chrome, *pressed: str) -> None:
    driver.switch_to.active_element.send_keys(*pressed)


def tab_to(driver: Chrome, said: str, *, most: int = 40) -> None:
    for _ in range(most):
        if driver.switch_to.active_element.text.strip() == said:
            return
        driver.switch_to.active_element.send_keys(Keys.TAB)
    raise AssertionError(f"the keyboard does not reach '{said}'")


def in_view(driver: Chrome, what: str) -> bool:
    script = "const box = document.querySelector(arguments[0]).getBoundingClientRect(); return box.top >= 0 && box.bottom <= innerHeight"
    return bool(driver.execute_script(script, what))  # type: ignore[no-untyped-call]


def outlined(driver: Chrome) -> bool:
    script = "const style = getComputedStyle(document.activeElement); return [style.outlineStyle, parseFloat(style.outlineWidth)]"
    style, width = driver.execute_script(script)  # type: ignore[no-untyped-call]
    return style != "none" and width >= 2


def test_an_owner_sees_how_sources_stand_and_goes_on_to_dagster(chrome: Chrome, address: str, world: World):
    sign_in(chrome, address, key_of(world, "user:dana", Role.DATA_OWNER))
    wait(chrome).until(url_contains("/console/sources"))
    chrome.find_element(By.LINK_TEXT, "Handbook").send_keys(Keys.ENTER)

    assert see(chrome, "h1").text == "Handbook"
    assert "config=" in chrome.find_element(By.LINK_TEXT, "Pause").get_attribute("href")  # type: ignore[operator]
    assert complaints(chrome) == []
    chrome.set_window_size(*PHONE)
    for page in ("/console/sources", "/console/sources/handbook"):
        chrome.get(f"{address}{page}")
        assert chrome.execute_script("return document.documentElement.scrollWidth <= window.innerWidth"), f"{page} fits a phone"
