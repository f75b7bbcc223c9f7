"""The names that columns usually have, in four languages, and the fields that they stand for."""

import re
import unicodedata
from collections.abc import Mapping, Sequence

_USUAL: Mapping[str, str] = {
    "external_id": "external id, response id, respondent id, survey response id, submission id, answer id, tweet id,"
    " review id, feedback id, comment id, record id, ticket id, case id, entry id, response number, id, uuid, guid,"
    " key, antwort id, antwortnummer, antwort nr, rückmeldung id, vorgangsnummer, lfd nr, nummer,"
    " id respuesta, id de respuesta, número de respuesta, id réponse, id de réponse, numéro de réponse",
    "revision": "revision",
    "submitted_at": "submitted at, created at, submit date, submission date, submitted, completed at, completed,"
    " response date, recorded date, date submitted, end date, review date, feedback date, tweet created, timestamp,"
    " created, created on, created time, date created, creation date, date, datetime, date time, time,"
    " eingegangen am, erstellt am, abgegeben am, abgeschlossen am, zeitstempel, datum, zeitpunkt, antwortdatum,"
    " fecha, fecha de respuesta, fecha de creación, creado el, enviado el, marca temporal,"
    " date de réponse, date de création, créé le, soumis le, envoyé le, horodateur",
    "language": "language, lang, locale, survey language, response language, user language, sprache, idioma, lengua,"
    " langue",
    "scores.nps": "nps, nps score, score nps, net promoter score, nps rating, likelihood to recommend, ltr, recommend,"
    " recommendation, weiterempfehlung, recomendación, recommandation",
    "scores.csat": "csat, csat score, satisfaction, satisfaction score, overall satisfaction, customer satisfaction,"
    " customer satisfaction score, zufriedenheit, kundenzufriedenheit, gesamtzufriedenheit, satisfacción,"
    " satisfacción general, satisfaction client, satisfaction générale",
    "scores.stars": "stars, star rating, star, rating, review rating, score stars, sterne, sternebewertung, bewertung,"
    " estrellas, calificación, valoración, étoiles, note, évaluation",
    "scores.ces": "ces, ces score, effort, effort score, customer effort, customer effort score, ease, aufwand,"
    " kundenaufwand, esfuerzo, facilidad, facilité",
    "customer.id": "customer id, customer number, customer no, client id, user id, account id, contact id, member id,"
    " user, kundennummer, kunden id, kundennr, kunde, nutzer id, id cliente, cliente id, número de cliente,"
    " id client, numéro client, numéro de client",
    "customer.email": "email, e mail, mail, email address, e mail address, customer email, contact email, user email,"
    " respondent email, e mail adresse, mailadresse, correo, correo electrónico, email cliente, courriel,"
    " adresse e mail, adresse email, adresse mail",
    "customer.tier": "tier, customer tier, loyalty tier, membership, membership level, customer segment, segment,"
    " kundenklasse, kundensegment, kundenstufe, stufe, nivel, segmento, segmento de cliente, niveau, segment client",
    "customer.region": "region, customer region, sales region, territory, gebiet, verkaufsgebiet, vertriebsregion,"
    " región, zona, région",
    "customer.account_value": "account value, customer value, contract value, acv, arr, mrr, annual revenue, revenue,"
    " ltv, clv, lifetime value, umsatz, jahresumsatz, kundenwert, vertragswert, valor de cuenta, ingresos,"
    " valor del cliente, valeur du compte, valeur client, chiffre d'affaires",
    "consent.contact": "consent, contact consent, consent contact, may contact, may we contact you, can we contact you,"
    " ok to contact, okay to contact, contact allowed, contact me, opt in, einwilligung, kontakt erlaubt,"
    " dürfen wir sie kontaktieren, kontaktaufnahme erlaubt, consentimiento, podemos contactarle, consentement,"
    " pouvons nous vous contacter",
    "verbatims.0.question": "question, survey question, frage, pregunta",
}
_TEXTS = (
    "text, comment, comments, verbatim, verbatims, feedback, review, review text, review body, tweet, tweet text,"
    " message, answer, response, open text, open answer, free text, body, content, remarks, remark, opinion,"
    " suggestion, suggestions, complaint, description, reason, why, customer comment, customer feedback,"
    " additional comments, kommentar, kommentare, freitext, antwort, antworttext, bemerkung, bemerkungen, anmerkung,"
    " anmerkungen, nachricht, rückmeldung, meinung, begründung, grund, warum, beschreibung, rezension,"
    " verbesserungsvorschläge, comentario, comentarios, respuesta, opinión, mensaje, reseña, texto, sugerencia,"
    " sugerencias, por qué, motivo, queja, commentaire, commentaires, réponse, avis, remarque, remarques, texte,"
    " pourquoi, raison, plainte"
)
_SCORE = "score, survey score, punkte, punktzahl, wertung, puntuación, puntaje, puntos, score client"
# Questions are worded in many ways, but these words are in nearly all of them.
_QUESTIONS: Sequence[tuple[re.Pattern[str], str]] = (
    (re.compile(r"(how|wie|qu[eé]|quel).*(likely|probab|wahrscheinlich).*(recom|weiterempf|empfehl)"), "scores.nps"),
    (re.compile(r"(how|wie|qu[eé]).*(satisf|zufrieden)"), "scores.csat"),
    (re.compile(r"(how|wie|qu[eé]|made it).*(easy|effort|einfach|leicht|f[aá]cil)"), "scores.ces"),
    (re.compile(r"(may|can|d[uü]rfen|podemos|pouvons).*(contact|kontakt)"), "consent.contact"),
)
_ID_OF_ANOTHER = re.compile(
    r"customer|user|client|account|contact|member|kunde|nutzer|agent|order|product|store|device"
)


def bare(name: str) -> str:
    """A name without case, accents, spaces and signs: `E-Mail_Adresse` is `emailadresse`."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    return "".join(one for one in plain if one.isalnum())


def _list(names: str) -> list[str]:
    return list(dict.fromkeys(bare(name) for name in names.split(",")))


# The place in the list is the rank: of two columns the one with the more telling name is taken.
_RANKS: Mapping[str, tuple[str, int]] = {
    name: (field, rank) for field, names in _USUAL.items() for rank, name in enumerate(_list(names))
}
_TEXT_NAMES = frozenset(_list(_TEXTS))
_SCORE_NAMES = frozenset(_list(_SCORE))


def known(column: str) -> tuple[str, int] | None:
    """The field that a column's name stands for, and how telling it is (0 most)."""
    if found := _RANKS.get(bare(column)):
        return found
    asked = column.casefold()
    return next(((field, 500) for pattern, field in _QUESTIONS if pattern.search(asked)), None)


def is_text(column: str) -> bool:
    """Whether its name says that people wrote it."""
    return bare(column) in _TEXT_NAMES


def is_score(column: str) -> bool:
    """Whether its name says score, but not which."""
    return bare(column) in _SCORE_NAMES


def like_id(column: str) -> bool:
    """Whether it is named as an id, and not one of somebody or something else."""
    name = bare(column)
    return name.endswith(("id", "uuid", "guid", "nummer", "number", "nr")) and not _ID_OF_ANOTHER.search(name)


def like_time(column: str) -> bool:
    """Whether it is named as the time of something."""
    return bool(re.search(r"(?i:date|datum|fecha|time|zeit|created|[_ ]at)$|[a-z]At$", column.strip()))


def as_name(column: str) -> str:
    """A column's name as one that a rule can use: `context.product_line`."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", column) if not unicodedata.combining(one))
    name = re.sub(r"\W+", "_", plain.lower()).strip("_")[:40].strip("_")
    return f"column_{name}" if not name or name[0].isdigit() else name
