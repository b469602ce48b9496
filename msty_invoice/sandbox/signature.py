"""The `River-Signature` header.

River: it carries a Unix timestamp and the hex HMAC-SHA256 of `<timestamp>.<payload>`,
keyed with the hex-decoded secret. How the two stand in the value is not stated, nor is
the timestamp's unit: hence the choices here.
"""

import hmac
import json
from dataclasses import dataclass
from hashlib import sha256

HEADER = "River-Signature"


@dataclass(frozen=True)
class SignatureForm:
    """`layout` is json (a JSON object) or kv (`timestamp=…,signature=…`); `unit` is s or ms."""

    layout: str = "json"
    unit: str = "s"

    def header(self, payload: bytes, secret: str, now_ms: int) -> str:
        timestamp = str(now_ms if self.unit == "ms" else now_ms // 1000)
        signed = timestamp.encode() + b"." + payload
        signature = hmac.new(bytes.fromhex(secret), signed, sha256).hexdigest()
        if self.layout == "kv":
            return f"timestamp={timestamp},signature={signature}"
        return json.dumps({"timestamp": timestamp, "signature": signature})
