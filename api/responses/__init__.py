"""The bodies of responses. Every field is listed here and goes nowhere else: no vector, no access class, no revision in clear.

`consistency_token` stands for the revision. `as_of` says of when the response is, where that was asked.
"""
