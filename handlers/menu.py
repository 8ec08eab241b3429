"""What a worker can do, in the order it is offered: the index of services."""

from __future__ import annotations

from handlers.form import Form
from handlers.forms import diabetes_follow_up, health_record, hypertension_follow_up, outreach_clinic, signing

FORMS: dict[str, Form] = {
    form.code: form
    for form in (
        hypertension_follow_up.form,
        diabetes_follow_up.form,
        signing.form,
        outreach_clinic.form,
        health_record.form,
    )
}

FOLLOW_UPS = {form.programme: form for form in FORMS.values() if form.programme}
"""The form that a programme's visit is recorded on."""

PROGRAMME_TITLES = {
    "hypertension": "高血压",
    "diabetes": "糖尿病",
    "mental_health": "严重精神障碍",
    "tb": "肺结核",
    "copd": "慢阻肺",
    "pneumoconiosis": "尘肺病",
    "maternal": "孕产妇",
    "child": "儿童",
}

DISCREET = frozenset({"mental_health", "tb"})
"""Programmes never named in a notification's first line, a group or a file name (promise 9)."""


def labels(service: str, answers: dict[str, object]) -> dict[str, str]:
    """Chinese words for the coded answers of a record."""
    form = FORMS.get(service)
    return form.labels(answers) if form else {}
