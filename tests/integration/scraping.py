"""A server's metrics, as Prometheus reads them."""

import urllib.request

from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

__all__ = ["scrape", "total"]


def scrape(port: int) -> tuple[str, dict[str, Metric]]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as response:
        text = response.read().decode()
    return text, {family.name: family for family in text_string_to_metric_families(text)}


def total(families: dict[str, Metric], name: str, **labels: str) -> float:
    """The sum of the samples of this name that have these labels."""
    return sum(
        sample.value
        for family in families.values()
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )
