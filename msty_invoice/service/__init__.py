"""The use cases, and Protocols for what they need from the outside."""
