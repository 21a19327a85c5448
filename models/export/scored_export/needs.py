# SPDX-License-Identifier: Apache-2.0
"""What the bits of an output depend on beside the pipeline: names that ops give and `exactness` explains."""

BLAS, EXP, LOG, POW = "blas", "exp", "log", "pow"
LOWER, LOCALE, UPPER, REGEX = "lower", "locale", "upper", "regex"
DIGITS = "digits"
RULES = "rules"
ZONE = "zone"
TRIGONOMETRY = "sin"
THAI = "th"  # a language whose lower case is by its words, which are not known here
