"""`sekisho demo`: the ordinary worker, producer and topics on embedded servers, shown live."""
