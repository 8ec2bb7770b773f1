# SPDX-License-Identifier: LGPL-2.1-or-later
"""SPNEGO's messages (RFC 4178 4.2) as dictionaries of their fields, to look at and to make others of."""

from ntlm_message import altered

MECH_TYPES = 0xA0       # of a NegTokenInit
TOKEN = 0xA2            # mechToken and responseToken
MECH_LIST_MIC = 0xA3

SPNEGO = bytes.fromhex('06062b0601050502')
NEGOEX = bytes.fromhex('060a2b06010401823702021e')


def elements(data):
    """The tags and contents of the DER elements that follow one another in DATA."""
    found = []
    while data:
        size, at = data[1], 2
        if size & 0x80:
            at += size & 0x7F
            size = int.from_bytes(data[2:at], 'big')
        found.append((data[0], data[at:at + size]))
        data = data[at + size:]
    return found


def element(tag, content):
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, 'big')
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def content_of(data):
    """What is in the one element that DATA consists of."""
    ((_, content),) = elements(data)
    return content


def init_fields(token):
    (_, (_, init)) = elements(content_of(token))
    return dict(elements(content_of(init)))


def resp_fields(token):
    return dict(elements(content_of(content_of(token))))


def _sequence(fields):
    return element(0x30, b''.join(element(tag, fields[tag]) for tag in sorted(fields)))


def make_init(fields):
    return element(0x60, SPNEGO + element(0xA0, _sequence(fields)))


def make_resp(fields):
    return element(0xA1, _sequence(fields))


def mech_token(fields):
    """The mechanism's token in a message's fields; None without one."""
    return content_of(fields[TOKEN]) if TOKEN in fields else None


def with_mechanism(token, mechanism, first):
    """A NegTokenInit with a mechanism more, FIRST of all or last."""
    fields = init_fields(token)
    mechanisms = content_of(fields[MECH_TYPES])
    fields[MECH_TYPES] = element(0x30, mechanism + mechanisms if first else mechanisms + mechanism)
    return make_init(fields)


def without(token, field):
    """A NegTokenResp without a field that it has."""
    fields = resp_fields(token)
    del fields[field]
    return make_resp(fields)


def spoil_mic(token):
    """TOKEN, whose last field is an NTLM mechListMIC, with another checksum there: the four bytes behind it count."""
    return altered(token, len(token) - 8)
