# SPDX-License-Identifier: MIT
"""What real programs work on: generators of their inputs, and the scripts
that interpreters run. Generators are seeded: the same everywhere."""
