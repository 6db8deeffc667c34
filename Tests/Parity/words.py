"""Words as defined for near-duplicates and decontamination, written from the rules (at the top of `words.h`), not from the code: the reference for
near_duplicates.py and decontaminate.py."""
import functools
import unicodedata

SPACES = {0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 9, 10, 11, 12, 13, 32}
DROPPED = [(0x300, 0x36F), (0x2000, 0x206F), (0x3001, 0x3004), (0x3006, 0x3006), (0x3008, 0x303F), (0xFE00, 0xFE6F), (0xFEFF, 0xFEFF),
           (0xFF01, 0xFF0F), (0xFF1A, 0xFF20), (0xFF3B, 0xFF40), (0xFF5B, 0xFF65)]
ALONE = [(0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0x3041, 0x30FF), (0x0E01, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0xF900, 0xFAFF),
         (0x20000, 0x3FFFF)]


@functools.cache
def becomes(character):
    """" " between words, "" if dropped, the character with blanks around it if it is a word of its own."""
    s = ord(character)
    if s in SPACES:
        return " "
    if s < 0x80:
        return character.lower() if character.isalnum() else ""
    if s < 0xC0:
        return character if character in "ªµº" else ""
    if s < 0x180:
        if character in "×÷":
            return ""
        base = unicodedata.normalize("NFD", character)[0].lower()
        return base if base < "\x80" else character.lower()
    if any(first <= s <= last for first, last in DROPPED):
        return ""
    if any(first <= s <= last for first, last in ALONE):
        return f" {character} "
    if 0x391 <= s <= 0x3A9 or 0x400 <= s <= 0x42F:
        return character.lower() if s != 0x3A2 else chr(s + 0x20)
    return character


def words(text):
    """The words of a text, numbers as they are."""
    return [word for word in "".join(map(becomes, text)).split(" ") if word]


def folded(text):
    """Words in which a run of digits is one 0, as near-duplicates are compared."""
    out = []
    for word in words(text):
        kept = []
        for character in word:
            digit = "0" <= character <= "9"
            if not (digit and kept and kept[-1] == "0"):
                kept.append("0" if digit else character)
        out.append("".join(kept))
    return out


def grams(list_of_words, n):
    """The distinct n-grams."""
    return {tuple(list_of_words[i:i + n]) for i in range(len(list_of_words) - n + 1)}


def shingles(text, n=5):
    """The distinct n-grams of a text; a shorter text is one."""
    list_of_words = folded(text)
    return grams(list_of_words, n) if len(list_of_words) >= n else {tuple(list_of_words)} - {()}
