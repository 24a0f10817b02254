# SPDX-License-Identifier: MIT
"""What measures: allocators, the meter, statistics, results and pictures."""
