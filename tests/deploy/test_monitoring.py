"""Alerts and dashboard name only metrics that exist, in both languages; promtool agrees."""

import importlib
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from deploy.local.folder import ROOT
from deploy.packages import PACKAGES
from tests.support.promtool import promtool

PROMETHEUS = ROOT / "deploy" / "prometheus"
DASHBOARD = ROOT / "deploy" / "grafana" / "motcua.json"
TESTED = ["test", "rules", "alerts.test.yml"]
NOTES = ("summary_vi", "summary_en", "action_vi", "action_en")
_METRIC = re.compile(r"\bmotcua_\w+")
_VIETNAMESE = re.compile("[ăâđêôơưạ-ỹ]")


@pytest.fixture(scope="module")
def metrics() -> set[str]:
    """Return the names of every sample that a process may tell."""
    for package in PACKAGES.values():
        importlib.import_module(f"{package}.app")
    suffixes = {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_count", "_sum"]}
    return {family.name + suffix for family in REGISTRY.collect() for suffix in suffixes.get(family.type, [])}


def _rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def _dashboard() -> dict[str, Any]:
    return json.loads(DASHBOARD.read_text())


def _expressions() -> Iterator[str]:
    for panel in _dashboard()["panels"]:
        yield from (target["expr"] for target in panel.get("targets", []))


class TestAlerts:
    def test_say_in_both_languages_what_happened_and_what_to_do(self) -> None:
        for rule in _rules():
            notes = rule["annotations"]
            assert set(notes) == set(NOTES), rule["alert"]
            assert rule["labels"]["severity"] in {"critical", "warning"}, rule["alert"]
            assert rule["for"], rule["alert"]
            for name in NOTES:
                assert bool(_VIETNAMESE.search(notes[name])) == name.endswith("_vi"), (rule["alert"], name)

    def test_have_names_of_their_own(self) -> None:
        names = [rule["alert"] for rule in _rules()]
        assert len(names) == len(set(names))

    def test_name_only_metrics_that_exist(self, metrics: set[str]) -> None:
        named = {name for rule in _rules() for name in _METRIC.findall(rule["expr"])}
        assert named - metrics == set()

    def test_watch_what_ops_must_know_of(self) -> None:
        told = " ".join(rule["expr"] for rule in _rules())
        for metric in (
            "motcua_outbox_oldest_age_seconds",
            "motcua_waiting_subjects",
            "motcua_parked_subjects",
            "motcua_portal_oldest_age_seconds",
            "motcua_portal_lag_seconds_bucket",
            "motcua_portal_breaker_open",
            'motcua_broker_connected{purpose="relay"}',
            'motcua_broker_connected{purpose=~"events-.+"}',
        ):
            assert metric in told

    @pytest.mark.parametrize(
        "arguments", [["check", "config", "prometheus.yml"], ["check", "rules", "alerts.yml"], TESTED], ids=" ".join
    )
    def test_hold_before_promtool(self, arguments: list[str]) -> None:
        assert promtool(*arguments, folder=PROMETHEUS) == ""


class TestScraping:
    def test_reaches_every_service(self) -> None:
        found = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
        ours = next(job for job in found["scrape_configs"] if job["job_name"] == "motcua")
        assert {one["labels"]["service"] for one in ours["static_configs"]} == set(PACKAGES)
        assert all((PROMETHEUS / name).exists() for name in found["rule_files"])


class TestDashboard:
    def test_names_only_metrics_that_exist(self, metrics: set[str]) -> None:
        named = {name for expression in _expressions() for name in _METRIC.findall(expression)}
        assert named - metrics == set()

    def test_leaves_out_no_metric_of_bus_and_portal(self, metrics: set[str]) -> None:
        told = " ".join(_expressions())
        kinds = ("motcua_outbox_", "motcua_events_", "motcua_event_lag", "motcua_portal_", "motcua_broker_")
        ours = {re.sub("_(bucket|count|sum)$", "", name) for name in metrics if name.startswith(kinds)}
        assert {name for name in ours if name not in told} == set()

    def test_can_be_imported(self) -> None:
        """Unique ids, no panel upon another, every figure from the data source that the reader chooses."""
        dashboard = _dashboard()
        ids = [panel["id"] for panel in dashboard["panels"]]
        assert len(ids) == len(set(ids))
        taken: set[tuple[int, int]] = set()
        for panel in dashboard["panels"]:
            place = panel["gridPos"]
            cells = {(place["x"] + dx, place["y"] + dy) for dx in range(place["w"]) for dy in range(place["h"])}
            assert not cells & taken, panel["title"]
            assert place["x"] + place["w"] <= 24
            taken |= cells
            for target in panel.get("targets", []):
                assert target["datasource"]["uid"] == "${datasource}"
        assert [one["name"] for one in dashboard["templating"]["list"]] == ["datasource"]
