from __future__ import annotations

import pytest

from streams.inference.addresses import targets


def test_one_name_may_have_many_addresses():
    found = targets("triton.internal:8001", tls=True)
    assert found.shared == "dns:///triton.internal:8001"
    assert found.each == ("dns:///triton.internal:8001",)


@pytest.mark.parametrize(
    ("servers", "shared"),
    [
        ("10.0.0.1:8001, 10.0.0.2:8001", "ipv4:10.0.0.1:8001,10.0.0.2:8001"),
        ("[::1]:8001,[::2]:8001", "ipv6:[::1]:8001,[::2]:8001"),
    ],
)
def test_several_addresses_share_the_load(servers, shared):
    found = targets(servers, tls=False)
    assert found.shared == shared
    assert len(found.each) == 2


@pytest.mark.parametrize(
    ("servers", "tls", "message"),
    [
        ("", False, "names no server"),
        ("triton", False, "is not host:port"),
        ("http://triton:8000", False, "is not host:port"),
        ("triton:0", False, "is not host:port"),
        ("triton:99999", False, "is not host:port"),
        (":8001", False, "is not host:port"),
        ("a:8001,b:8001", False, "all be IPv4 or all IPv6"),
        ("10.0.0.1:8001,[::1]:8001", False, "all be IPv4 or all IPv6"),
        ("10.0.0.1:8001,10.0.0.2:8001", True, "with TLS give one DNS name"),
    ],
)
def test_what_cannot_be_used_is_explained(servers, tls, message):
    with pytest.raises(ValueError, match=message):
        targets(servers, tls=tls)
