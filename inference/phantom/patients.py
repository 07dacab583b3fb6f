"""Invented people: names, identifiers, dates. Nobody real."""

import datetime
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

JAPANESE_SHARE = 0.35
_LONG_SHARE = 0.08
# The standard allows 64 characters a group; many readers (and dciodvfy) hold the whole value to 64 bytes.
_NAME_BYTES = 64
_REFERENCE = datetime.date(2026, 1, 5)

_FAMILY = [
    "Adeyemi",
    "Andersson",
    "Bauer",
    "Bianchi",
    "Carter",
    "Chen",
    "Costa",
    "Dubois",
    "Fischer",
    "Garcia",
    "Haddad",
    "Hansen",
    "Ivanova",
    "Jensen",
    "Kaya",
    "Khan",
    "Kowalski",
    "Lopez",
    "Martin",
    "Meyer",
    "Moreau",
    "Murphy",
    "Nguyen",
    "Novak",
    "OBrien",
    "Okafor",
    "Park",
    "Patel",
    "Petrov",
    "Ramos",
    "Rossi",
    "Sanchez",
    "Schmidt",
    "Silva",
    "Singh",
    "Smith",
    "Tanaka-Jones",
    "Virtanen",
    "Weber",
    "Williams",
]
_GIVEN_M = [
    "Adam",
    "Ahmed",
    "Carlos",
    "Daniel",
    "David",
    "Emil",
    "Felix",
    "Hugo",
    "Ivan",
    "Jakob",
    "James",
    "Jonas",
    "Karim",
    "Liam",
    "Luca",
    "Marek",
    "Omar",
    "Paul",
]
_GIVEN_F = [
    "Aisha",
    "Alice",
    "Amara",
    "Anna",
    "Clara",
    "Elena",
    "Emma",
    "Fatima",
    "Greta",
    "Ines",
    "Julia",
    "Lena",
    "Maria",
    "Nadia",
    "Olga",
    "Priya",
    "Rosa",
    "Sofia",
]
_JAPANESE_FAMILY = (
    ("SATO", "佐藤", "さとう"),
    ("SUZUKI", "鈴木", "すずき"),
    ("TAKAHASHI", "高橋", "たかはし"),
    ("TANAKA", "田中", "たなか"),
    ("WATANABE", "渡邉", "わたなべ"),
    ("ITO", "伊藤", "いとう"),
    ("YAMAMOTO", "山本", "やまもと"),
    ("SAITO", "齋藤", "さいとう"),
    ("KOBAYASHI", "小林", "こばやし"),
    ("HASHIMOTO", "橋本", "はしもと"),
    ("TSUJI", "辻", "つじ"),
    ("KANEKO", "金子", "かねこ"),
)
_JAPANESE_LONG = (
    ("TESHIGAWARA", "勅使河原", "てしがわら"),
    ("KOHIRUIMAKI", "小比類巻", "こひるいまき"),
    ("CHOSOKABE", "長曽我部", "ちょうそかべ"),
)
_JAPANESE_M = (
    ("TARO", "太郎", "たろう"),
    ("KENJI", "健二", "けんじ"),
    ("SHOTA", "翔太", "しょうた"),
    ("HIROSHI", "浩", "ひろし"),
    ("RYUNOSUKE", "龍之介", "りゅうのすけ"),
    ("JUN", "純", "じゅん"),
)
_JAPANESE_F = (
    ("HANAKO", "花子", "はなこ"),
    ("YUKI", "由紀", "ゆき"),
    ("SAKURA", "さくら", "さくら"),
    ("MISAKI", "美咲", "みさき"),
    ("KAORUKO", "薫子", "かおるこ"),
    ("AOI", "葵", "あおい"),
)
_LATIN_LONG = (
    "Wolfeschlegelsteinhausenberger-Dorffmeister",
    "Montenegro de Albuquerque e Vasconcelos",
    "Featherstonehaugh-Cholmondeley-Marjoribanks",
)


@dataclass(frozen=True)
class Patient:
    """Names are DICOM component groups (family^given), each at most 64 characters, or empty."""

    patient_id: str
    issuer: str
    name_alphabetic: str
    name_ideographic: str
    name_phonetic: str
    sex: str
    birth_date: datetime.date


def draw(rng: np.random.Generator, seed: int, index: int) -> Patient:
    """One adult, Japanese in about a third of the cases; some names are long."""
    sex = "F" if rng.uniform() < 0.5 else "M"
    japanese, long = rng.uniform() < JAPANESE_SHARE, rng.uniform() < _LONG_SHARE
    picks = rng.integers(2**16, size=2)
    names = _japanese(sex, long, picks) if japanese else _latin(sex, long, picks)
    age_days = int(rng.uniform(19, 94) * 365.25)
    return Patient(
        patient_id=f"PH{seed}-{index:06d}",
        issuer="PHANTOM",
        name_alphabetic=names[0],
        name_ideographic=names[1],
        name_phonetic=names[2],
        sex=sex,
        birth_date=_REFERENCE - datetime.timedelta(days=age_days),
    )


def _latin(sex: str, long: bool, picks: NDArray[np.int64]) -> tuple[str, str, str]:
    families = _LATIN_LONG if long else _FAMILY
    given = _GIVEN_F if sex == "F" else _GIVEN_M
    return f"{families[picks[0] % len(families)]}^{given[picks[1] % len(given)]}", "", ""


def _japanese(sex: str, long: bool, picks: NDArray[np.int64]) -> tuple[str, str, str]:
    families = _JAPANESE_LONG if long else _JAPANESE_FAMILY
    given = _JAPANESE_F if sex == "F" else _JAPANESE_M
    one = families[picks[0] % len(families)]
    for step in range(len(given)):
        two = given[(picks[1] + step) % len(given)]
        groups = [f"{family}^{name}" for family, name in zip(one, two, strict=True)]
        if len("=".join(groups).encode()) <= _NAME_BYTES:
            return groups[0], groups[1], groups[2]
    raise AssertionError(f"no given name fits {one[0]}")
