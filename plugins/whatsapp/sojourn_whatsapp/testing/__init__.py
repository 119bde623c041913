"""A Cloud API that is not there: for tests of this package, for demos and for anyone else."""

from sojourn_whatsapp.testing.cloud import FAILED, REFUSED, FakeTemplate, FakeWhatsAppCloud

__all__ = ["FAILED", "REFUSED", "FakeTemplate", "FakeWhatsAppCloud"]
