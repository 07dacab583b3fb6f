"""What may stand in an address."""


class UidConverter:
    """A UID as files bring it. What cannot be one is no address here: 404, before a query is made."""

    regex = r"[0-9A-Za-z._-]{1,64}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value
