"""Words as defined for near-duplicates and decontamination, written from the rules (at the top of `word_folding.h`), not from the code: the reference
for near_duplicates.py and decontaminate.py. Code points that are newer than Python's Unicode are letters here."""
import functools
import re
import unicodedata

# Marks that spell: Indic vowel signs have class 0; kana voicing, viramas, Telugu, Thai, Lao and Tibetan vowels and tones.
KEPT = {0, 8, 9, 84, 91, 103, 107, 118, 122, 129, 130, 132}
IGNORABLE = {0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), *range(0x200B, 0x2010), *range(0x202A, 0x202F),
             *range(0x2060, 0x2070), 0x3164, *range(0xFE00, 0xFE10), 0xFEFF, 0xFFA0, *range(0xFFF0, 0xFFF9), *range(0x1BCA0, 0x1BCA4),
             *range(0x1D173, 0x1D17B), *range(0xE0000, 0xE1000), 0x640, 0x7FA}
APOSTROPHES = {*range(0x2B9, 0x2BE), 0x2C8, 0x2CA, 0x2CB}
HAN = [(0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3021, 0x3029), (0x3038, 0x303B), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF),
       (0x16FE0, 0x18DFF), (0x1B170, 0x1B2FF), (0x20000, 0x3FFFF)]
KANA = [(0x3041, 0x30FF), (0x3105, 0x312F), (0x31A0, 0x31BF), (0x31F0, 0x31FF), (0xA000, 0xA4CF), (0x1AFF0, 0x1B16F)]
CLUSTER = [(0xE01, 0xE7F), (0xE81, 0xFFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x1950, 0x19DF), (0x1A20, 0x1AAF), (0x1B00, 0x1B7F),
           (0xA980, 0xA9FF), (0xAA60, 0xAADF), (0x11700, 0x1174F)]
ALWAYS_SYMBOLS = set("$%&+/<=>@\\^|~")


@functools.cache
def folded(character):
    """Full case folding and NFKD until nothing changes."""
    before, text = None, character
    while text != before:
        before, text = text, unicodedata.normalize("NFKD", text.casefold())
    return "".join({"ı": "i", "ȷ": "j"}.get(c, c) for c in text)


@functools.cache
def kind(character):
    """What a folded character is: a letter (its weight, 12ths of a word), a mark, a symbol, punctuation, a space, or nothing."""
    s, category = ord(character), unicodedata.category(character)
    if s in IGNORABLE or category == "Cf":
        return "nothing"
    if s in APOSTROPHES or category[0] == "P" and character not in ALWAYS_SYMBOLS or character == "`":
        return "punctuation"
    if category[0] == "M":
        if unicodedata.combining(character) == 1:
            return "overlay"
        return "mark" if unicodedata.combining(character) in KEPT and category != "Me" else "nothing"
    if category[0] == "S" or category[0] == "P":
        return "symbol"
    if category[0] == "Z" or category == "Cc":
        return "space"
    if category != "Nd":
        for weight, ranges in ((6, HAN), (4, KANA), (3, CLUSTER)):
            if any(first <= s <= last for first, last in ranges):
                return weight
    return 12


def is_symbol(text, i, alike):
    """Whether the ASCII character at i counts in shingles."""
    c, before, after = text[i], text[i - 1:i] or " ", text[i + 1:i + 2] or " "
    word = lambda x: x.isascii() and x.isalnum()
    digit = lambda x: x.isascii() and x.isdigit()
    return {"!": after == "=" or word(after), "#": word(before) or word(after), "*": before == after == " ",
            "-": digit(after) and not word(before) and not alike}.get(c, c in ALWAYS_SYMBOLS)


def groups_digits(text, i):
    """Whether the comma at i groups the digits of a number."""
    digits = lambda part: part != "" and part.isascii() and part.isdigit()
    before, after = text[max(0, i - 4):i], text[i + 1:i + 5]
    return (digits(text[i - 1:i] if i else "") and not (len(before) == 4 and digits(before)) and len(after) >= 3 and digits(after[:3])
            and not digits(after[3:]))


def parse(text, symbols=False, everything=False, alike=False):
    """The words, each with its weight and where it begins and ends. Pieces between blanks do not depend on each other."""
    out, offset = [], 0
    for piece in text.split(" "):
        out += [(word, weight, start + offset, end + offset) for word, weight, start, end in parse_piece(piece, symbols, everything, alike)]
        offset += len(piece) + 1
    return out


@functools.lru_cache(1 << 20)
def parse_piece(text, symbols, everything, alike):
    out, tail = [], None  # tail: None, "letter", "alone" or "symbols"

    def add(character, weight, mode, at, joins):
        nonlocal tail
        if joins:
            out[-1] = (out[-1][0] + character, out[-1][1], out[-1][2], at + 1)
        else:
            out.append((character, weight, at, at + 1))
        tail = mode

    for i, original in enumerate(text):
        between = 0 < i < len(text) - 1 and all(c.isascii() and c.isdigit() for c in (text[i - 1], text[i + 1]))
        if original == "," and groups_digits(text, i) or alike and original in ",." and between:
            continue
        parts = folded(original) if ord(original) not in IGNORABLE else ""
        for position, c in enumerate(parts):
            what = kind(c)
            if original.isascii() and what in ("symbol", "punctuation"):
                counts = everything or symbols and is_symbol(text, i, alike)
            else:
                counts = everything and what == "punctuation" or (everything or symbols) and what == "symbol"
            if what == "overlay" and len(parts) > 1 and position and kind(parts[position - 1]) == "symbol":
                counts = everything or symbols
                what = "symbol"
            if what == "nothing":
                continue
            if what == "mark":
                if tail in ("letter", "alone"):
                    add(c, 0, tail, i, True)
            elif what == "overlay":
                if tail == "symbols":
                    add(c, 0, tail, i, True)
            elif what in ("symbol", "punctuation", "space"):
                if counts:
                    add(c, 12, "symbols", i, tail == "symbols")
                elif len(parts) == 1 or what != "space" or any(kind(p) not in ("nothing", "overlay") for p in parts):
                    tail = None
            elif what == 12:
                if unicodedata.category(c) == "Nd":
                    c = "0" if alike else str(unicodedata.digit(c))
                    if alike and tail == "letter" and out[-1][0].endswith("0"):
                        out[-1] = (*out[-1][:3], i + 1)
                        continue
                add(c, 12, "letter", i, tail == "letter")
            else:
                add(c, what, "alone", i, False)
    return [(unicodedata.normalize("NFD", word), weight, start, end) for word, weight, start, end in out]


TAGS = ("a abbr b big blockquote br center cite code dd div dl dt em font h1 h2 h3 h4 h5 h6 hr i img kbd li mark ol p pre q s samp small span strong sub "
        "sup table tbody td th thead tr tt u ul var")
TAG = re.compile(rf"</?(?:{TAGS.replace(' ', '|')})(?:[ /]*>|[ /][^<>\n]*=[^<>\n]*>)", re.A | re.I)
REFERENCE = re.compile(r"&#?[A-Za-z0-9]{2,8};")


def markup_end(text, i):
    """Where the markup at i ends: the target of a Markdown link, an HTML tag or a character reference, of at most 2,048 bytes; else None."""
    end = None
    if text.startswith("](", i):
        depth = 0
        for j in range(i + 1, len(text)):
            depth += (text[j] == "(") - (text[j] == ")")
            if text[j] == "\n" or not depth:
                end = j + 1 if text[j] != "\n" else None
                break
    elif text[i] in "<&":
        found = (TAG if text[i] == "<" else REFERENCE).match(text, i)
        end = found and found.end()
    return end if end and len(text[i:end].encode()) <= 2048 else None


def without_markup(text):
    """The text with line ends in the place of its markup."""
    out, i = [], 0
    while i < len(text):
        end = markup_end(text, i) if text[i] in "]<&" else None
        out.append("\n" * (end - i) if end else text[i])
        i = end or i + 1
    return "".join(out)


def words(text):
    """The words that decontamination compares, with weights and places; of a text without any, its punctuation."""
    return parse(without_markup(text)) or parse(text, everything=True)


def grams(list_of_words, n):
    """The distinct n-grams."""
    return {tuple(list_of_words[i:i + n]) for i in range(len(list_of_words) - n + 1)}


def shingles(text, n=5, alike=False):
    """The distinct n-grams of a text with symbols; a shorter text is one, with all punctuation."""
    list_of_words = [word for word, *_ in parse(text, symbols=True, alike=alike)]
    if len(list_of_words) >= n:
        return grams(list_of_words, n)
    return {tuple(word for word, *_ in parse(text, everything=True, alike=alike))} - {()}
