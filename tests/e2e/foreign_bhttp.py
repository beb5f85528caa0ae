# SPDX-License-Identifier: Apache-2.0
"""Binary HTTP (RFC 9292) in known length, as far as an exchange needs it, that shares no line with pp."""


def counted(data):
    """A length in the shortest form, and what is that long."""
    n = len(data)
    return (bytes([n]) if n < 64 else (n | 1 << 14).to_bytes(2, "big") if n < 1 << 14
            else (n | 2 << 30).to_bytes(4, "big")) + data


def known_length(method, scheme, authority, path, headers=(), content=b"", trailers=()):
    """A request in known length, every section written (RFC 9292 3.1)."""
    sections = (b"".join(counted(name) + counted(value) for name, value in s) for s in (headers, trailers))
    header, trailer = map(counted, sections)
    return b"\x00" + b"".join(map(counted, (method, scheme, authority, path))) + header + counted(content) + trailer


def first_of(raw):
    """What the length at the front counts, and the rest."""
    size = 1 << (raw[0] >> 6)
    end = size + (int.from_bytes(raw[:size], "big") & (1 << 8 * size - 2) - 1)
    assert end <= len(raw), raw[:8]
    return raw[size:end], raw[end:]


def status_of(response):
    """The status of a known-length response (RFC 9292 3.1), which has nothing behind its sections but zeros."""
    assert response[0] == 1 and response[1] >> 6 == 1, response[:8]
    return int.from_bytes(response[1:3], "big") & 0x3FFF


def parts_of(response):
    """(status, fields, content) of such a response."""
    fields, rest = first_of(response[3:])
    content, rest = first_of(rest)
    assert not any(rest), "zeros behind the content"
    found = {}
    while fields:
        name, fields = first_of(fields)
        found[name.decode()], fields = first_of(fields)
    return status_of(response), found, content
