#!/usr/bin/env python3
"""Makes signature_vectors.jsonl and float_vectors.txt beside this file, always the same ones.

The expected values come from Python's own json, hmac and float. The bodies do not: they are written piece by piece, so
that whitespace, escapes, numbers and repeated keys appear in every way that JSON allows.
"""
import base64
import hashlib
import hmac
import json
import pathlib
import random
import struct

HERE = pathlib.Path(__file__).parent
RANDOM = random.Random(20260101)
WORDS = ["İstanbul", "ğüşiöç ĞÜŞÖÇ ıI", "Ağrı", "kimlik", "a/b", "\u2028", "é", "e\u0301", "漢字", "😀", "👩‍👩‍👧", "𝄞x", "\x7f",
         "\u0080", "\uffff", "\ufeff", "", " ", "task_id", "0", "ﬁ", "\U0010ffff"]
CONTROLS = ["\\u0000", "\\u001f", "\\b", "\\f", "\\n", "\\r", "\\t", "\\u0008", "\\u000A", "\\u001B", "\\u007f", "\\u007E"]
LONE = ["\\ud83d", "\\uDE00", "\\udc00\\ud800", "\\uD800x", "\\ud83d\\n", "\\ud83d\\ud83d\\ude00", "\\udfff\\uffff"]
OTHER = ["\\/", "/", "\\\\", "\\\"", "\\u0022", "\\u005c", "\\u005cn", "\\\\u00e9", "\\u002F", "'", "<&>"]
SCALARS = ["true", "false", "null"]


def space():
    return RANDOM.choice(["", "", "", " ", "\n", "\t", "\r\n", "  \n\t "])


def escaped(text):
    units = text.encode("utf-16-be", "surrogatepass")
    pattern = RANDOM.choice(["\\u%04x", "\\u%04X"])
    return "".join(pattern % unit for unit in struct.unpack(">%dH" % (len(units) // 2), units))


def string():
    parts = []
    for _ in range(RANDOM.choice([0, 1, 1, 2, 3, 5])):
        word = RANDOM.choice(WORDS)
        parts.append(RANDOM.choice([
            lambda: word, lambda: word, lambda: escaped(word), lambda: RANDOM.choice(CONTROLS),
            lambda: RANDOM.choice(LONE), lambda: RANDOM.choice(OTHER)])())
    return '"' + "".join(parts) + '"'


def digits(count):
    return "".join(RANDOM.choice("0123456789") for _ in range(count))


def any_double():
    """Every bit pattern is as likely as every other one, so all magnitudes come."""
    while True:
        value = struct.unpack(">d", struct.pack(">Q", RANDOM.getrandbits(64)))[0]
        if value == value and abs(value) != float("inf"):
            return value


def float_token():
    sign = RANDOM.choice(["", "-"])
    return RANDOM.choice([
        lambda: RANDOM.choice(["%r", "%.17g", "%.1e", "%.25e", "%.3E"]) % any_double(),
        lambda: "%s%d.%s" % (sign, RANDOM.randrange(10 ** RANDOM.randrange(1, 20)), digits(RANDOM.randrange(1, 25))),
        lambda: "%s0.%s%s" % (sign, "0" * RANDOM.randrange(8), digits(RANDOM.randrange(1, 18))),
        lambda: "%s%d%s%s%d" % (sign, RANDOM.randrange(1000), RANDOM.choice("eE"), RANDOM.choice(["", "+", "-"]),
                                RANDOM.randrange(30)),
        lambda: "%s1%s%d" % (sign, RANDOM.choice(["e", "E+", "e-0", "E0"]), RANDOM.randrange(400)),
        lambda: "%s%d.%s00" % (sign, RANDOM.randrange(100), digits(1)),
        lambda: RANDOM.choice(["0.0", "-0.0", "-0e5", "0E-9", "1E5", "1e400", "-1e400", "5e-324", "2e-324", "1e-05",
                               "0.0001", "0.00001", "1e15", "1e16", "9999999999999998.0", "123456789012345680.0",
                               "1.7976931348623157e308", "1.7976931348623159e308", "2.2250738585072011e-308",
                               "9007199254740993.0", "1e23", "8.41e21", "2.0e-3", "100.0"]),
    ])()


def number():
    return RANDOM.choice([
        lambda: str(RANDOM.randrange(-100, 100)), lambda: "-0", lambda: "0",
        lambda: RANDOM.choice(["", "-"]) + "9" + digits(RANDOM.randrange(1, 60)),
        float_token, float_token, float_token])()


def value(depth):
    kind = RANDOM.randrange(10 if depth > 0 else 6)
    if kind < 3:
        return string()
    if kind < 5:
        return number()
    if kind < 6:
        return RANDOM.choice(SCALARS)
    if kind < 8:
        return "[" + joined([value(depth - 1) for _ in range(RANDOM.randrange(5))]) + "]"
    return members(depth)


def members(depth):
    keys = [string() for _ in range(RANDOM.randrange(6))]
    if keys and RANDOM.random() < 0.4:
        keys += RANDOM.choices(keys, k=RANDOM.randrange(1, 4)) + ['"a"', '"\\u0061"']
        RANDOM.shuffle(keys)
    return "{" + joined([key + space() + ":" + space() + value(depth - 1) for key in keys]) + "}"


def joined(parts):
    if not parts:
        return space()
    return ",".join(space() + part + space() for part in parts)


def webhook():
    """A body like the provider's own, with the whitespace of this or that writer."""
    payload = {"event_type": "profile_status_change", "profile": {"name": RANDOM.choice(WORDS), "score": any_double()},
               "created_at": RANDOM.randrange(2 ** 31), "documents": [RANDOM.choice(WORDS) for _ in range(3)]}
    return RANDOM.choice([
        lambda: json.dumps(payload), lambda: json.dumps(payload, separators=(",", ":")),
        lambda: json.dumps(payload, ensure_ascii=False), lambda: json.dumps(payload, indent=2, ensure_ascii=False)])()


def bodies():
    for _ in range(60):
        yield webhook().encode()
    for _ in range(260):
        yield (space() + members(4) + space()).encode()
    for _ in range(40):
        yield (space() + value(0) + space()).encode()
    yield ("[" * 100 + "1.0" + "]" * 100).encode()
    yield ('{"a": ' * 100 + "{}" + "}" * 100).encode()
    yield ('{"a":[{"\\u0061":1,"a":2,"b":{"x":1,"y":2,"x":3}},{"b":1}],"b":1,"a":{"z":1e2,"z":[]}}').encode()
    # No second form: Python reads none of these as JSON in UTF-8.
    yield b"\xef\xbb\xbf{}"
    yield b'{"a": "\xff"}'
    yield b'{"a": "\xed\xa0\x80"}'
    yield b'{"a": 1,}'
    yield b'{"a": "\n"}'
    yield b'{"a": 01}'
    yield b"task_id=1&status=ok"
    yield b"{} {}"
    yield "{\"a\": 1}".encode("utf-16")
    yield b"\xff\xfe\x00"


def constants():
    """What Python reads and writes as numbers and JSON does not have."""
    for body in ["NaN", " Infinity\n", "-Infinity", "[NaN,-Infinity , Infinity,1e400]", '{"a":NaN,"b":[ -Infinity ],"a": Infinity}',
                 '{"NaN":"Infinity","x":NaN }']:
        yield body.encode()
    for body in ["nan", "-NaN", "+Infinity", "Inf", "-Inf", "infinity", "NaNs", "[Infinity1]", "- Infinity", "{NaN:1}", "[Na]"]:
        yield body.encode()


def dumps(body):
    try:
        return json.dumps(json.loads(body.decode("utf-8")))
    except ValueError:
        return None


def signature(message, secret):
    return base64.b64encode(hmac.new(secret.encode(), message, hashlib.sha256).digest()).decode()


def write_signatures(bodies, mode):
    with open(HERE / "signature_vectors.jsonl", mode) as file:
        for body in bodies:
            secret = RANDOM.choice(["", "şifre-", "whsec_"]) + "%048x" % RANDOM.getrandbits(192)
            form = dumps(body)
            file.write(json.dumps({
                "body": base64.b64encode(body).decode(), "secret": secret,
                "raw_signature": signature(body, secret), "dumps": form,
                "dumps_signature": None if form is None else signature(form.encode("utf-8"), secret)}) + "\n")


def write_floats():
    tokens = [repr(2.0 ** power) for power in range(-1074, 1024, 3)]
    tokens += ["1e%d" % power for power in range(-30, 30)]
    tokens += ["%de%d" % (RANDOM.randrange(1, 10 ** RANDOM.randrange(1, 17)), RANDOM.randrange(-25, 25))
               for _ in range(800)]
    tokens += [float_token() for _ in range(2000)]
    tokens += [digits(800).lstrip("0") + ".5", "0." + "0" * 400 + "1", "1" + "0" * 309 + ".0"]
    with open(HERE / "float_vectors.txt", "w") as file:
        for token in tokens:
            file.write("%s %s\n" % (token, json.dumps(json.loads(token))))


write_signatures(bodies(), "w")
write_floats()
# Last, so that all the others stay as they were.
write_signatures(constants(), "a")
