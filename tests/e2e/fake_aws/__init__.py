# SPDX-License-Identifier: Apache-2.0
"""The parts of fake_s3: what AWS does, as far as a reader of S3 can see it, and what may go wrong."""
