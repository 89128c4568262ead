import pytest
import torch

from harness.analysis.features import FeatureExtractor, ImageCache, trained_weights_digest
from harness.core.errors import SetupError
from harness.runs.record import read_record


def test_features_have_a_row_for_every_test_image(trained):
    context, _, student = trained
    extractor = FeatureExtractor(ImageCache(context, None))
    features = extractor.extract(student)
    images = extractor.images.open(student).dataset.test
    assert features.ndim == 2 and len(features) == len(images)
    assert features.dtype == torch.float32 and features.device.type == "cpu"


def test_images_are_opened_once(trained):
    context, teacher, student = trained
    images = ImageCache(context, None)
    assert images.open(teacher) is images.open(student)


def test_images_of_another_folder_are_refused(trained, tmp_path):
    context, teacher, _ = trained
    with pytest.raises(SetupError, match="fingerprint"):
        ImageCache(context, tmp_path).open(teacher)


def test_a_teachers_features_are_kept(trained, monkeypatch):
    context, teacher, student = trained
    extractor = FeatureExtractor(ImageCache(context, None))
    features = extractor.extract_teacher(teacher)
    monkeypatch.setattr(extractor, "extract", lambda spec: torch.zeros(1))
    assert extractor.extract_teacher(teacher) is features
    assert len(extractor.extract_teacher(student)) == 1


def test_the_digest_is_the_records(trained):
    context, _, student = trained
    record = read_record(context.runs, student)
    assert trained_weights_digest(student, context.runs) == record["result"]["model"]
