"""What the tests of the API share: a client for each person, and the ladder every door must pass."""

from typing import Any

from django.test import Client, TestCase

from review.models.people import User
from review.models.studies import Study
from review.services import accounts
from tests.review import cast

ERROR_KEYS = {"code", "message", "errors", "status"}


def client(user: User | None) -> Client:
    """Someone with a token; nobody without a user."""
    if user is None:
        return Client()
    return Client(headers={"Authorization": f"Bearer {accounts.create_token(user, by=None)}"})


def assert_error(response: Any, status: int, code: str) -> dict[str, Any]:
    """The one error body, and nothing else."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/json"
    body: dict[str, Any] = response.json()
    assert body.keys() == ERROR_KEYS
    assert (body["code"], body["status"]) == (code, status)
    assert body["message"]
    return body


class ApiCase(TestCase):
    def setUp(self) -> None:
        self.cast = cast.make()
        self.study: Study = cast.study(self.cast.central)
        self.ruth = client(self.cast.ruth)

    def path(self, rest: str = "") -> str:
        return f"/api/v1/studies/{self.study.study_instance_uid}/{rest}"

    def climb(self, rest: str, *, other_method: str = "delete") -> None:
        """A GET under a study: colleague, read-only, stranger, outsiders, nobody, missing, wrong method."""
        for reader in (self.cast.ruth, self.cast.omar, self.cast.tomo, self.cast.ada):
            assert client(reader).get(self.path(rest)).status_code == 200, reader
        self.climb_outside(rest)
        assert_error(getattr(self.ruth, other_method)(self.path(rest)), 405, "method-not-allowed")

    def climb_outside(self, rest: str) -> None:
        assert_error(client(self.cast.petra).get(self.path(rest)), 404, "not-found")
        for outsider in (self.cast.nils, self.cast.tessa, self.cast.root):
            assert_error(client(outsider).get(self.path(rest)), 403, "not-allowed")
        nobody = Client().get(self.path(rest))
        assert_error(nobody, 401, "not-authenticated")
        assert nobody["WWW-Authenticate"] == "Bearer"
        missing = self.path(rest).replace(self.study.study_instance_uid, "1.2.3")
        assert_error(client(self.cast.ada).get(missing), 404, "not-found")
