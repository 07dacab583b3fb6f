from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from review.models.patients import Patient
from review.models.people import Capability, User
from review.models.studies import Arrival, Order, Study
from review.selectors import people


def visible_to(user: User | AnonymousUser) -> QuerySet[Arrival]:
    """Files handed in at the sites where the user may import."""
    return (
        Arrival.objects.filter(site__in=people.sites_with(user, Capability.IMPORT))
        .select_related("site", "image__series__study", "handed_in_by")
        .order_by("-pk")
    )


def known(arrival: Arrival) -> dict[str, str] | None:
    """What is known here of whom or what a stopped file contradicts, in the words of `Arrival.claimed`.

    Only of the arrival's own site; None when there is nothing to compare it with.
    """
    claimed = arrival.claimed or {}
    studies = Study.objects.filter(site=arrival.site).select_related("patient", "order")
    if arrival.reason_code == "order-mismatch":
        order = Order.objects.filter(site=arrival.site, accession_number=claimed["accession_number"]).first()
        study = studies.filter(order=order).order_by("pk").first() if order else None
    else:
        study = studies.filter(study_instance_uid=claimed.get("study_instance_uid", "")).first()
        study = study or _with_image(studies, claimed.get("sop_instance_uid", ""))
    if study is not None:
        return _described(study.patient, study)
    patient = Patient.objects.filter(
        issuer=arrival.site.issuer_of_patient_id, patient_id=claimed.get("patient_id", "")
    ).first()
    return _described(patient, None) if patient else None


def _with_image(studies: QuerySet[Study], sop_instance_uid: str) -> Study | None:
    return studies.filter(series__images__sop_instance_uid=sop_instance_uid).first()


def _described(patient: Patient, study: Study | None) -> dict[str, str]:
    order = study.order if study else None
    return {
        "patient_name": patient.display_name(),
        "patient_id": patient.patient_id,
        "birth_date": patient.birth_date_raw,
        "sex": patient.sex,
        "accession_number": order.accession_number if order else "",
        "study_date": study.study_date_raw if study else "",
        "study_description": study.study_description if study else "",
    }
