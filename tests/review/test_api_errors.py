"""Tokens, the one error body, and the schema."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import yaml
from django.test import Client
from django.utils import timezone
from drf_spectacular.validation import validate_schema

from review.models.people import ApiToken
from review.services import accounts
from tests.review import cast
from tests.review.api_case import ERROR_KEYS, ApiCase, assert_error, client

ROOT = Path(__file__).resolve().parents[2]


class TokenTests(ApiCase):
    def test_a_token_opens_and_is_noted(self) -> None:
        assert self.ruth.get("/api/v1/studies/").status_code == 200
        assert ApiToken.objects.get().last_used_at is not None

    def test_a_revoked_token_is_nobodys(self) -> None:
        ApiToken.objects.update(revoked_at=timezone.now())
        assert_error(self.ruth.get("/api/v1/studies/"), 401, "authentication-failed")

    def test_an_inactive_account_stays_out(self) -> None:
        self.cast.ruth.is_active = False
        self.cast.ruth.save(update_fields=["is_active"])
        assert_error(self.ruth.get("/api/v1/studies/"), 401, "authentication-failed")

    def test_a_wrong_or_odd_token_is_refused(self) -> None:
        for header in ("Bearer", "Bearer x", "Bearer a b", "Bearer \xff", "bearer maira_"):
            response = Client(headers={"Authorization": header}).get("/api/v1/studies/")
            assert_error(response, 401, "authentication-failed")
        assert_error(Client(headers={"Authorization": "Basic x"}).get(self.path()), 401, "not-authenticated")

    def test_a_session_opens_too_and_needs_the_csrf_token_to_write(self) -> None:
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(self.cast.ruth)
        assert browser.get(self.path()).status_code == 200
        body = {"based_on": 0, "findings": "x", "impression": ""}
        refused = browser.put(self.path("report/"), body, content_type="application/json")
        assert_error(refused, 403, "not-allowed")

    def test_a_token_needs_none(self) -> None:
        token = accounts.create_token(self.cast.ruth, by=None)
        program = Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {token}"})
        body = {"based_on": 0, "findings": "x", "impression": ""}
        assert program.put(self.path("report/"), body, content_type="application/json").status_code == 200


class ErrorTests(ApiCase):
    def test_what_is_not_there_is_said_in_json_to_anyone(self) -> None:
        for who in (self.ruth, Client()):
            for path in ("/api/v1/", "/api/v1/nothing/", "/api/v1/studies/1.2/odd/", "/api/v1/feedback/x/"):
                for method in ("get", "post", "put", "delete"):
                    assert_error(getattr(who, method)(path), 404, "not-found")

    def test_an_answer_in_another_form_cannot_be_asked_for(self) -> None:
        response = self.ruth.get("/api/v1/studies/", headers={"Accept": "text/html"})
        assert_error(response, 406, "not-acceptable")

    def test_no_message_names_a_patient(self) -> None:
        cast.draft(self.study)
        for person in (self.cast.petra, self.cast.nils):
            for rest in ("", "draft/", "report/", "masks/", "audit/"):
                content = client(person).get(self.path(rest)).content.decode()
                assert "YAMADA" not in content
                assert "P00001" not in content


class SchemaTests(ApiCase):
    def schema(self) -> dict[str, Any]:
        response = Client().get("/api/v1/schema/")
        assert response.status_code == 200
        schema: dict[str, Any] = yaml.safe_load(response.content)
        return schema

    def test_it_is_valid_and_names_every_door(self) -> None:
        schema = self.schema()
        validate_schema(schema)  # type: ignore[no-untyped-call]
        study = "/api/v1/studies/{study_instance_uid}/"
        assert schema["paths"].keys() == {
            "/api/v1/studies/",
            study,
            *(f"{study}{name}/" for name in ("draft", "report", "masks", "audit")),
            "/api/v1/arrivals/",
            "/api/v1/feedback/",
            "/api/v1/feedback/{dataset_id}/",
            "/api/v1/feedback/{dataset_id}/download/",
        }
        assert schema["components"]["securitySchemes"]["bearer"] == {"type": "http", "scheme": "bearer"}
        assert schema["components"]["schemas"]["ErrorOutput"]["properties"].keys() == ERROR_KEYS

    def test_the_committed_one_is_fresh(self) -> None:
        committed = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text(encoding="utf-8"))
        assert committed == self.schema(), "run: manage.py spectacular --file docs/openapi.yaml"

    def test_answers_are_what_it_says(self) -> None:
        cast.draft(self.study)
        schema = self.schema()
        for rest, name in (("", "Study"), ("draft/", "Draft"), ("masks/", "Masks"), ("report/", "Report")):
            component = {
                **schema["components"]["schemas"][f"{name}Output"],
                "components": schema["components"],
            }
            jsonschema.validate(self.ruth.get(self.path(rest)).json(), _nullable(component))


def _nullable(schema: Any) -> Any:
    """OpenAPI 3.0 says `nullable`, which JSON Schema does not know."""
    if isinstance(schema, list):
        return [_nullable(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _nullable(value) for key, value in schema.items() if key != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") is True else plain


def test_the_command_makes_it_without_a_warning() -> None:
    command = [sys.executable, "manage.py", "spectacular", "--validate", "--fail-on-warn"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
