"""What can be told of a single line by its build, whatever the page: a date, a name, a section, a cue.

    is_date     nothing but a date, a time and the words that go with them
    is_name     nothing but a person's name
    is_biography, is_long_caption   long lines that open and close as these do
    is_post     a quoted post with its author, handle and date
    runs_on     begins in lower case: the continuation of a sentence broken at a link
    breaks_off  ends in an article or a preposition: the beginning of one

Masks over the texts of a batch (over its lines where their place counts). All are cheap tests first (length, a digit,
a capital), then one expression.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Final

import numpy as np

from copydesk.expressions import contains
from copydesk.lines.shape import Mask, Shape, Texts

__all__ = ["ASKED", "breaks_off", "is_biography", "is_date", "is_long_caption", "is_name", "is_post", "runs_on"]

ASKED: Final[list[str]] = []
"""The questions whose answers `Texts.told` keeps."""


def _once(find: Callable[[Texts], Mask]) -> Callable[[Texts], Mask]:
    """The same answer for the same texts, without asking again."""
    ASKED.append(find.__name__)

    @wraps(find)
    def told(texts: Texts) -> Mask:
        if find.__name__ not in texts.told:
            texts.told[find.__name__] = find(texts)
        return texts.told[find.__name__]

    return told


_DATE_LENGTH: Final = 90
"""Characters; the longest labelled date line (two dates with cue words) has 84."""

_MONTHS: Final = (
    "january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun"
    "|jul|aug|sept|sep|oct|nov|dec|januar|jänner|februar|feber|märz|mai|juni|juli|oktober|dezember|dez|mär|okt"
    "|janvier|février|fevrier|mars|avril|juin|juillet|août|aout|septembre|octobre|novembre|décembre|decembre|janv"
    "|févr|juil|déc|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|setiembre|octubre|noviembre"
    "|diciembre|ene|abr|ago|dic|janeiro|fevereiro|março|maio|junho|julho|setembro|outubro|novembro|dezembro|fev"
    "|mai|set|out|gennaio|febbraio|aprile|maggio|giugno|luglio|settembre|ottobre|dicembre|januari|februari|maart"
    "|mei|augustus|января|февраля|марта|апреля|мая|июня|июля|августа|сентября|октября|ноября|декабря|январь"
    "|февраль|март|апрель|май|июнь|июль|август|сентябрь|октябрь|ноябрь|декабрь|янв|фев|мар|апр|июн|июл|авг|сен"
    "|окт|ноя|дек|януари|февруари|април|юни|юли|септември|октомври|ноември|декември|януари|січня|лютого|березня"
    "|квітня|травня|червня|липня|серпня|вересня|жовтня|листопада|грудня|stycznia|lutego|marca|kwietnia|maja"
    "|czerwca|lipca|sierpnia|września|października|listopada|grudnia|ledna|února|března|dubna|května|června"
    "|července|srpna|září|října|listopadu|prosince|ocak|şubat|mart|nisan|mayıs|haziran|temmuz|ağustos|eylül|ekim"
    "|kasım|aralık|januar|mars|augusti|oktober|desember|يناير|فبراير|مارس|أبريل|ابريل|مايو|يونيو|يوليو|أغسطس"
    "|سبتمبر|أكتوبر|نوفمبر|ديسمبر|جنوری|فروری|مارچ|اپریل|مئی|جون|جولائی|اگست|ستمبر|اکتوبر|نومبر|دسمبر|जनवरी|फरवरी"
    "|मार्च|अप्रैल|मई|जून|जुलाई|अगस्त|सितंबर|अक्टूबर|नवंबर|दिसंबर|mei|agustus|ιανουαρίου|φεβρουαρίου|μαρτίου"
    "|απριλίου|μαΐου|ιουνίου|ιουλίου|αυγούστου|σεπτεμβρίου|οκτωβρίου|νοεμβρίου|δεκεμβρίου"
)
_DAYS: Final = (
    "monday|tuesday|wednesday|thursday|friday|saturday|sunday|mon|tue|tues|wed|thu|thur|thurs|fri|sat|sun|montag"
    "|dienstag|mittwoch|donnerstag|freitag|samstag|sonnabend|sonntag|mo|di|mi|do|fr|sa|so|lundi|mardi|mercredi"
    "|jeudi|vendredi|samedi|dimanche|lunes|martes|miércoles|jueves|viernes|sábado|domingo|segunda-feira"
    "|terça-feira|quarta-feira|quinta-feira|sexta-feira|segunda|terça|quarta|quinta|sexta|lunedì|martedì"
    "|mercoledì|giovedì|venerdì|sabato|domenica|maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag"
    "|понедельник|вторник|среда|четверг|пятница|суббота|воскресенье|понеделник|сряда|четвъртък|петък|събота"
    "|неделя|poniedziałek|wtorek|środa|czwartek|piątek|sobota|niedziela|pazartesi|salı|çarşamba|perşembe|cuma"
    "|cumartesi|pazar|senin|selasa|rabu|kamis|jumat|sabtu|minggu|الاثنين|الثلاثاء|الأربعاء|الخميس|الجمعة|السبت"
    "|الأحد"
)
_CUES: Final = (
    "published|updated|posted|issued|modified|created|edited|first|last|on|at|date|time|am|pm|a\\.m\\.|p\\.m\\."
    "|noon|midnight|local|utc|gmt|est|edt|cst|cdt|mst|mdt|pst|pdt|et|pt|ct|bst|cet|cest|mez|ist|msk|wib|eet|aest"
    "|aedt|hkt|sgt|jst|eat|wat|sast|pht|ago|hours?|minutes?|days?|mins?|hrs?|weeks?|months?|today|yesterday|of"
    "|the|and|st|nd|rd|th|original|originally|article|publish|release|released|since|from|added|last"
    "|veröffentlicht|aktualisiert|erstellt|stand|zuletzt|geändert|uhr|um|am|vom|den|der|vor|stunden?|minuten"
    "|tagen?|heute|gestern|erschienen|datum|publié|mis|mise|jour|à|le|la|il|y|a|heures?|modifié|par|jours?|h|min"
    "|publicado|actualizado|creado|hoy|ayer|hace|el|de|del|las|los|en|horas?|actualización|publicación|atualizado"
    "|às|em|há|dia|dias|hoje|ontem|modificado|última|ultima|atualização|pubblicato|aggiornato|alle|ore|il|data"
    "|oggi|ieri|modifica|gepubliceerd|bijgewerkt|om|uur|laatst|gewijzigd|опубликовано|обновлено|изменено|дата"
    "|публикации|в|г|года|год|время|мск|сегодня|вчера|назад|часов|часа|час|минут|публикувана|публикувано|обновена"
    "|последна|промяна|на|ч|днес|вчера|г\\.|оновлено|опубліковано|сьогодні|о|об|opublikowano|aktualizacja|dodano"
    "|godz|godz\\.|dzisiaj|wczoraj|zveřejněno|aktualizováno|publikováno|dnes|včera|v|hod|güncelleme|güncellendi"
    "|yayınlanma|yayın|tarihi|giriş|oluşturulma|saat|son|bugün|dün|eklenme|تاريخ|نشر|في|آخر|تحديث|منذ|ساعة|ساعات"
    "|دقيقة|شائع|ص|م|अपडेटेड|अपडेट|प्रकाशित|पब्लिश्ड|बजे|को|publicerad|uppdaterad|kl|klo|opdateret|publisert"
    "|oppdatert|julkaistu|päivitetty|δημοσίευση|ενημέρωση"
)
_TOKEN: Final = (
    f"(?:{_MONTHS})\\.?|(?:{_DAYS})\\.?|(?:{_CUES})"
    "|[0-9]{1,4}(?:st|nd|rd|th|h|º|er|am|pm|z|年|月|日|일|월|년)?[0-9]{0,2}|[+-][0-9]{1,2}"
)
_EDGES: Final = "[ ,.:/|()\\[\\]•·–—@'\"+tz-]"
_DATE: Final = f"^{_EDGES}*(?:(?:{_TOKEN}){_EDGES}+)*(?:{_TOKEN}){_EDGES}*$"
_ANCHOR: Final = (
    f"(?:^|[^a-zà-ÿа-яё])(?:{_MONTHS})(?:[^a-zà-ÿа-яё]|$)|[0-9]{{1,4}}[./-][0-9]{{1,2}}[./-][0-9]{{1,4}}"
    "|[0-9]{1,2}[:.h][0-9]{2}"
    "|[0-9]+ (?:hours?|minutes?|days?|mins?|hrs?|weeks?|months?|stunden?|minuten|tagen?|heures?|horas?|часов|часа) "
    "|^(?:vor|hace|há|il y a) [0-9]|年"
)
_ISSUED: Final = (
    "^(?:issued on|published(?: on| at)?|updated(?: on| at)?|posted(?: on)?|last (?:updated|modified)|last updated on"
    "|first published|date|datum|stand|опубликовано|обновлено|publicado(?: em| el)?|atualizado(?: em)?|mis à jour"
    "|publié(?: le)?|veröffentlicht(?: am)?|aktualisiert(?: am)?|güncelleme|aggiornato|pubblicato)[ :]*$"
)

_CAPITAL: Final = "A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĖĘĚĞĢĪĮİĶŁĽĻŃŅŇŌŐŒŘŚŞŠŤŢŪŮŰŲŸŹŻŽΑ-ΩА-ЯЁІЇЄҐЂЈЉЊЋЏ"
_REST: Final = ' .,;:!?()"0-9/|'
_NAME_WORD: Final = f"[{_CAPITAL}](?:[^{_REST}{_CAPITAL}][^{_REST}]*|\\.|\\.-?[{_CAPITAL}]\\.|'[{_CAPITAL}][^{_REST}]+)"
_PARTICLE: Final = "de|da|do|dos|del|di|van|von|der|den|la|le|el|bin|al|und|and|e|y|et|и|&"
_NAME: Final = f"^{_NAME_WORD}(?: (?:{_NAME_WORD}|{_PARTICLE}))+(?:, {_NAME_WORD}(?: (?:{_NAME_WORD}|{_PARTICLE}))+)*$"
_LOWER: Final = "^[\\p{Ll}]"


@_once
def is_date(texts: Texts) -> Mask:
    """Texts that are a date, a time, or a word that announces one, and nothing else."""
    hit = np.zeros(len(texts), dtype=bool)
    few = np.flatnonzero((texts.length <= _DATE_LENGTH) & (texts.words <= 18))
    low = texts.low.gather(few)
    hit[few[contains(low, _ISSUED)]] = True
    dated = low.str.contains("[0-9٠-٩]")
    few, low = few[dated.to_numpy()], low.filter(dated)
    anchored = contains(low, _ANCHOR)
    few, low = few[anchored], low.filter(anchored)
    hit[few[contains(low, _DATE)]] = True
    return hit


@_once
def is_name(texts: Texts) -> Mask:
    """Texts that are one or several names and nothing else: two to six capitalised words, particles allowed."""
    hit = np.zeros(len(texts), dtype=bool)
    few = np.flatnonzero((texts.length <= 70) & (texts.words >= 2) & (texts.words <= 12) & ~texts.stop)
    hit[few] = contains(texts.text.gather(few), _NAME)
    return hit


_NAMED: Final = "^[A-ZÀ-Þ][^ ]+ (?:[A-Z]\\.? )?[A-ZÀ-Þ]"
_BIOGRAPHY: Final = f"{_NAMED}[^.,!?]* (?:is|was|has|covers|writes|reports|works) "
_REACHED: Final = (
    "(?:follow|e-?mail|contact|reach|find) (?:him|her|them|me) |can be reached at|@[a-z0-9_]{3}|twitter|newsletter"
)
_PICTURE: Final = (
    "^(?:(?:illustrative|file|archive|archival|undated|handout|stock|representative|symbolic) )?"
    "(?:photo|image|picture|foto|bild|imagen|фото|снимка) ?[.:]"
)
_CREDITED: Final = "(?:source|photo|image|credit|picture|quelle|foto|fuente|источник|via)s? ?:? [^.!?]{3,80}[.)]?$"


def _long(texts: Texts, sieve: str, opens: str, ends: str) -> Mask:
    """Texts of 80 characters and more whose first 60 and last 160 characters match.

    Both are seen in lower case, but `opens` is tried as written where it has capitals in it. Texts that do not match
    `sieve`, as written, do not match `opens` either.
    """
    cased = opens != opens.lower()
    rows = np.flatnonzero(contains(texts.text, sieve) & (texts.length >= 80))
    head = texts.text.gather(rows).str.head(60)
    rows = rows[contains(head if cased else head.str.to_lowercase(), opens)]
    hit = np.zeros(len(texts), dtype=bool)
    hit[rows] = contains(texts.text.gather(rows).str.tail(160).str.to_lowercase(), ends)
    return hit


def is_biography(shape: Shape) -> Mask:
    """Lines in the second half of a document that present a person and say where to reach them."""
    late = 2 * (np.arange(len(shape)) - shape.first) >= shape.last - shape.first
    return np.asarray(presents_somebody(shape.texts)[shape.text_of] & late & (shape.last > shape.first))


@_once
def presents_somebody(texts: Texts) -> Mask:
    """Long texts that open with who somebody is and close with where to reach them."""
    return _long(texts, _NAMED, _BIOGRAPHY, _REACHED)


@_once
def is_long_caption(texts: Texts) -> Mask:
    """Captions of several sentences: they open with the word for a picture and close with its source."""
    return _long(texts, f"(?i){_PICTURE}", _PICTURE, _CREDITED)


_PICTURE_OF_POST: Final = "pic\\.twitter\\.com/[A-Za-z0-9]{10}$"
_POST: Final = f"\\(@[A-Za-z0-9_]+\\) [A-Z][a-z]+ [0-9]{{1,2}}, [0-9]{{4}}$|{_PICTURE_OF_POST}"


@_once
def is_post(texts: Texts) -> Mask:
    """Texts that end as embedded posts do: with a picture's address, or with a handle in brackets and a date."""
    hit = np.zeros(len(texts), dtype=bool)
    ends = np.flatnonzero(~texts.stop)
    ends = ends[contains(texts.text.gather(ends).str.tail(26), f"[0-9]{{4}}$|{_PICTURE_OF_POST}")]
    hit[ends] = contains(texts.text.gather(ends).str.tail(60), _POST)
    return hit


@_once
def runs_on(texts: Texts) -> Mask:
    """Texts that begin with a lower-case letter."""
    return contains(texts.text.str.head(1), _LOWER)


_JOINTS: Final = (
    "the of and with their its whose into between among than per les des du aux dont leurs und oder der dem vom eines"
    " seiner ihrer los las del unos cuyo dos das della degli delle nella и или для без при"
)
"""Words in front of which a line breaks off only where a link stood. Those that close titles and menu entries as well
("Sign in", "Der Streit dauert an") are left out."""


@_once
def breaks_off(texts: Texts) -> Mask:
    """Texts of three words and more that end with one of `_JOINTS`."""
    hit = np.zeros(len(texts), dtype=bool)
    few = np.flatnonzero((texts.words >= 3) & ~texts.stop & ~texts.open_end)
    last = texts.text.gather(few).str.tail(12).str.extract(" ([^ ]+)$")
    hit[few] = last.is_in(_JOINTS.split()).fill_null(value=False).to_numpy()
    return hit
