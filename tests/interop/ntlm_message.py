# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the cases look at in an AUTHENTICATE_MESSAGE (MS-NLMP 2.2.1.3), and a way to spoil one."""

import struct

EXTENDED_SESSION_SECURITY = 0x00080000

MSV_AV_EOL = 0
MSV_AV_FLAGS = 6
MSV_AV_TIMESTAMP = 7
MSV_AV_FLAG_MIC = 2


class Authenticate:
    """The parts of one message."""

    def __init__(self, token):
        self.nt_size, self.nt_offset = struct.unpack_from('<H2xI', token, 20)
        (flags,) = struct.unpack_from('<I', token, 60)
        self.nt_response = token[self.nt_offset:self.nt_offset + self.nt_size]
        self.ess = bool(flags & EXTENDED_SESSION_SECURITY)
        self.mic = token[72:88]

    @property
    def is_v2(self):
        return self.nt_size > 24

    @property
    def says_mic(self):
        """Whether MsvAvFlags, in the client's AV pairs, says that the MIC is there."""
        return bool(av_flags(self.nt_response[44:]) & MSV_AV_FLAG_MIC)


def av_flags(pairs):
    """The value of MsvAvFlags in a list of AV pairs; 0 if it is not there."""
    at = 0
    while True:
        kind, size = struct.unpack_from('<HH', pairs, at)
        if kind == MSV_AV_EOL:
            return 0
        if kind == MSV_AV_FLAGS:
            return struct.unpack_from('<I', pairs, at + 4)[0]
        at += 4 + size


def altered(data, at):
    """DATA with one bit changed at the byte AT."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def without_timestamp(challenge):
    """CHALLENGE with an AV pair of no meaning in MsvAvTimestamp's place: the client answers with LMv2, too."""
    (offset,) = struct.unpack_from('<I', challenge, 44)
    at = offset
    while True:
        kind, size = struct.unpack_from('<HH', challenge, at)
        if kind == MSV_AV_EOL:
            return challenge
        if kind == MSV_AV_TIMESTAMP:
            return challenge[:at] + struct.pack('<H', 0x7000) + challenge[at + 2:]
        at += 4 + size


def with_forged_nt_response(token):
    """TOKEN with an NTLMv2 response that proves nothing and promises no MIC; its LM response stays."""
    message = Authenticate(token)
    at = message.nt_offset + 44
    while True:
        kind, size = struct.unpack_from('<HH', token, at)
        if kind == MSV_AV_FLAGS:
            break
        at += 4 + size
    token = token[:at + 4] + bytes(4) + token[at + 8:]
    return token[:message.nt_offset] + bytes(16) + token[message.nt_offset + 16:]
