# SPDX-License-Identifier: Apache-2.0
"""Parts of doctor_test.py that are long."""
