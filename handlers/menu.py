"""What a worker can do, in the order it is offered: the index of services."""

from __future__ import annotations

from handlers.decisions import Protocol
from handlers.form import Form
from handlers.forms import (
    antenatal_visit,
    appointment,
    campaign,
    child_check,
    copd_follow_up,
    diabetes_follow_up,
    elderly_check,
    expert_support,
    folic_acid,
    health_education,
    health_record,
    home_visit,
    hypertension_follow_up,
    infectious_report,
    mental_health_follow_up,
    newborn_visit,
    outreach_clinic,
    plan,
    pneumoconiosis_follow_up,
    postpartum_visit,
    progress_report,
    referral_down,
    referral_up,
    rehabilitation_follow_up,
    screening_follow_up,
    screening_result,
    signing,
    signing_end,
    signing_service,
    tb_first_visit,
    tb_follow_up,
    tcm_guidance,
    training,
    vaccination,
    voluntary_testing,
)
from handlers.steps import Known

FORMS: dict[str, Form] = {
    form.code: form
    for form in (
        hypertension_follow_up.form,
        diabetes_follow_up.form,
        copd_follow_up.form,
        mental_health_follow_up.form,
        pneumoconiosis_follow_up.form,
        elderly_check.form,
        rehabilitation_follow_up.form,
        antenatal_visit.form,
        postpartum_visit.form,
        newborn_visit.form,
        child_check.form,
        vaccination.form,
        tcm_guidance.form,
        folic_acid.form,
        tb_first_visit.form,
        tb_follow_up.form,
        signing.form,
        signing_service.form,
        signing_end.form,
        health_record.form,
        outreach_clinic.form,
        home_visit.form,
        health_education.form,
        referral_up.form,
        referral_down.form,
        screening_result.form,
        voluntary_testing.form,
        infectious_report.form,
        training.form,
        expert_support.form,
        appointment.form,
        screening_follow_up.form,
        campaign.form,
        plan.form,
        progress_report.form,
    )
}

FOLLOW_UPS = {form.programme: form for form in reversed(FORMS.values()) if form.programme}
"""The form that a programme's visit is recorded on unless another one is due: the first of the menu."""


def form_due(programme: str, next_service: str | None, known: Known) -> Form | None:
    """The form that the visit due in a programme is recorded on; None while no form serves it.

    The one that the last visit named, unless the resident has outgrown it; else the first of the programme that fits.
    """
    named = FORMS.get(next_service or "")
    if named is not None and named.fits(known):
        return named
    forms = [form for form in FORMS.values() if form.programme == programme]
    return next((form for form in forms if form.fits(known)), FOLLOW_UPS.get(programme))


def protocols() -> list[Protocol]:
    """Every protocol that decides something, in menu order."""
    return list({form.protocol.code: form.protocol for form in FORMS.values() if form.protocol}.values())


def labels(service: str, answers: dict[str, object]) -> dict[str, str]:
    """Chinese words for the coded answers of a record."""
    form = FORMS.get(service)
    return form.labels(answers) if form else {}
