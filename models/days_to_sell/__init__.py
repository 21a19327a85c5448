# SPDX-License-Identifier: Apache-2.0
"""Days to sell: the worked example of a model that is trained by Spark and served by scored.

Four jobs, each of which runs alone (`python -m days_to_sell.<job> --help`):
generate (make-believe source data), check (join and refuse bad data), train, export.
"""
