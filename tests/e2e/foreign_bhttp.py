# SPDX-License-Identifier: Apache-2.0
"""Binary HTTP (RFC 9292) in known length, as far as a test needs it, that shares no line with pp."""


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


def status_of(response, framing=1):
    """The status of a response in known length (RFC 9292 3.1), or with framing 3 in indeterminate length (3.2)."""
    assert response[0] == framing and response[1] >> 6 == 1, response[:8]
    return int.from_bytes(response[1:3], "big") & 0x3FFF
