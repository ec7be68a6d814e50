"""The database column of an encrypted value."""

from typing import Any

from django.db import models

from providers import sealing


class SealedField(models.TextField):  # type: ignore[type-arg]
    """A column that holds ciphertext and knows how to move it to the newest key.

    The value stays sealed when a row loads: a broken row breaks no list page. The
    model opens it on use. `binding` names the model's method that returns what the
    ciphertext is bound to.
    """

    def __init__(self, *args: Any, binding: str = "binding", **kwargs: Any) -> None:
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)
        self.binding = binding

    def deconstruct(self) -> Any:
        """Keep `binding` in migrations."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "binding": self.binding}

    @classmethod
    def of(cls, row: models.Model, name: str) -> "SealedField":
        """Return the field `name` of `row`'s model."""
        field = row._meta.get_field(name)
        if not isinstance(field, cls):
            raise TypeError(f"{name} is not a sealed field")
        return field

    def seal(self, row: models.Model, plaintext: bytes) -> None:
        """Encrypt `plaintext` into this column of `row` (not saved)."""
        setattr(row, self.attname, sealing.seal(plaintext, self._bound_to(row)))

    def unseal(self, row: models.Model) -> bytes:
        """Return this column of `row` in clear; raises UnreadableSecret."""
        return sealing.unseal(getattr(row, self.attname), self._bound_to(row))

    def _bound_to(self, row: models.Model) -> str:
        binding: str = getattr(row, self.binding)()
        return binding
