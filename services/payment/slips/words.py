"""Sums of money in Vietnamese words, as receipts spell them out: một trăm hai mươi mốt nghìn đồng."""

DIGITS = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
GROUP_NAMES = ("", "nghìn", "triệu")
BILLION = "tỷ"
_HUNDRED, _THOUSAND, _BILLION = 100, 1_000, 1_000_000_000
_TEN, _TWENTY = 10, 20
# What the last digit is called after mười and after hai mươi … chín mươi, where it is not called as it is alone.
_AFTER_TEN = {5: "lăm"}
_AFTER_TWENTY = {1: "mốt", 4: "tư", 5: "lăm"}


def dong_in_words(amount_vnd: int) -> str:
    """Return an amount of whole đồng in words with a capital first; less than none is said to be `âm`."""
    sign = "âm " if amount_vnd < 0 else ""
    words = sign + number_in_words(abs(amount_vnd)) + " đồng"
    return words[0].upper() + words[1:]


def number_in_words(number: int) -> str:
    """Return a whole number, none or more, in words."""
    return " ".join(_words(number, leading=True)) or DIGITS[0]


def _words(number: int, *, leading: bool) -> list[str]:
    """Return the words of a number; without `leading`, zeros before it are read, as they follow something."""
    if number >= _BILLION:
        return [*_words(number // _BILLION, leading=leading), BILLION, *_words(number % _BILLION, leading=False)]
    words: list[str] = []
    for place in (2, 1, 0):
        group = number // _THOUSAND**place % _THOUSAND
        if group:
            words += _group(group, leading=leading and not words)
            words += [GROUP_NAMES[place]] if place else []
    return words


def _group(number: int, *, leading: bool) -> list[str]:
    """Return the words of 1 to 999; a hundred that is not there is read unless the group comes first."""
    hundreds, rest = divmod(number, _HUNDRED)
    words = [DIGITS[hundreds], "trăm"] if hundreds or not leading else []
    if not rest:
        return words
    if rest < _TEN:
        return [*words, *(["linh"] if words else []), DIGITS[rest]]
    tens, last = divmod(rest, _TEN)
    if rest < _TWENTY:
        words += ["mười"]
        return [*words, _AFTER_TEN.get(last, DIGITS[last])] if last else words
    words += [DIGITS[tens], "mươi"]
    return [*words, _AFTER_TWENTY.get(last, DIGITS[last])] if last else words
