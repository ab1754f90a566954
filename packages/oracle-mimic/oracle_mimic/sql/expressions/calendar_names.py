"""Names of months and days in the languages that NLS_DATE_LANGUAGE may be set to."""

from __future__ import annotations

from dataclasses import dataclass

from oracle_mimic.errors import OracleError


@dataclass(frozen=True, slots=True)
class Names:
    """Full and short names, January and Sunday first, in the language's own case for capitalised output."""

    months: tuple[str, ...]
    short_months: tuple[str, ...]
    days: tuple[str, ...]
    short_days: tuple[str, ...]

    @property
    def month_width(self) -> int:
        return max(map(len, self.months))

    @property
    def day_width(self) -> int:
        return max(map(len, self.days))


_AMERICAN_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_AMERICAN_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_BRAZILIAN_MONTHS = (
    "Janeiro", "Fevereiro", "Março", "Abril", "Maio", "Junho", "Julho", "Agosto", "Setembro", "Outubro", "Novembro", "Dezembro",
)  # fmt: skip
_BRAZILIAN_DAYS = ("Domingo", "Segunda-feira", "Terça-feira", "Quarta-feira", "Quinta-feira", "Sexta-feira", "Sábado")


def _shortened(months: tuple[str, ...], days: tuple[str, ...]) -> Names:
    return Names(months, tuple(m[:3] for m in months), days, tuple(d[:3] for d in days))


LANGUAGES = {
    "AMERICAN": _shortened(_AMERICAN_MONTHS, _AMERICAN_DAYS),
    "ENGLISH": _shortened(_AMERICAN_MONTHS, _AMERICAN_DAYS),
    "BRAZILIAN PORTUGUESE": _shortened(_BRAZILIAN_MONTHS, _BRAZILIAN_DAYS),
}


def names_of(language: str) -> Names:
    """ORA-12702 for a language that is not known here."""
    found = LANGUAGES.get(language.strip().upper())
    if found is None:
        raise OracleError(12702, "invalid NLS parameter string used in SQL function")
    return found
