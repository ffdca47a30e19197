"""Every visible word is there in both languages, and says of statuses and events what the rest of the house says."""

import re
from typing import Any

from pydantic import BaseModel

from gateway.data_services.trouble import Kind
from gateway.operations.data_services.obstacles import Obstacle
from gateway.operations.facts import SHOWN
from gateway.schemas.webhooks import AttemptOut, SubscriptionOut
from gateway.states import LABELS_VI
from shared.events.registry import EVENTS
from tests.browser.conftest import Visits

_BLANK = re.compile(r"\{\w+\}")


def _promised(answer: type[BaseModel], name: str) -> set[str]:
    """Return the values of a field that the API's description names."""
    return set(re.findall(r"`(\w+)`", answer.model_fields[name].description or ""))


async def _words(visit: Visits) -> dict[str, Any]:
    visitor = await visit()
    return await visitor.page.evaluate(
        "import('/console/files/words.js').then((all) => ({...all.NAMED, words: all.WORDS}))"
    )


class TestWords:
    async def test_come_in_pairs_with_the_same_blanks(self, visit: Visits) -> None:
        for kind, pairs in (await _words(visit)).items():
            for key, (vietnamese, english) in pairs.items():
                assert vietnamese.strip(), (kind, key)
                assert english.strip(), (kind, key)
                assert sorted(_BLANK.findall(vietnamese)) == sorted(_BLANK.findall(english)), (kind, key)

    async def test_name_every_event_status_and_detail(self, visit: Visits) -> None:
        words = await _words(visit)
        assert set(words["event"]) == set(EVENTS)
        assert {int(status): labels[0] for status, labels in words["portal"].items()} == {
            int(status): label for status, label in LABELS_VI.items()
        }
        assert set(words["detail"]) == SHOWN

    async def test_name_every_trouble_obstacle_and_silence(self, visit: Visits) -> None:
        words = await _words(visit)
        assert set(words["trouble"]) == set(Kind)
        assert set(words["obstacle"]) == set(Obstacle)
        assert set(words["disabled"]) == _promised(SubscriptionOut, "disabled_because")
        assert set(words["silence"]) == _promised(AttemptOut, "reason")

    async def test_fill_the_page(self, visit: Visits) -> None:
        visitor = await visit()
        for language in ("vi", "en"):
            await visitor.page.click(f"[data-language={language}]")
            empty = "[...document.querySelectorAll('[data-t]')].filter((one) => !one.textContent.trim()).length"
            assert await visitor.page.evaluate(empty) == 0
