"""What `prepare` sees of the teacher: every training image once, in order or shuffled."""

import pytest
import torch

from harness.core.errors import RunInterrupted
from harness.core.progress import Reporter
from harness.core.session import RunContext
from harness.core.signals import StopRequest
from harness.data.augmentation import normalise_pixels
from harness.data.batches import PREPARE_BATCH
from harness.models import as_float32, build_network
from harness.training.teacher_batches import TeacherBatches
from methods.preparation import ShuffledBatches

IMAGES = PREPARE_BATCH + 6


class Images:
    """Random images in memory."""

    def __init__(self):
        random = torch.Generator().manual_seed(0)
        self.pixels = torch.randint(256, (IMAGES, 3, 32, 16), generator=random).to(torch.uint8)

    def __len__(self):
        return IMAGES

    def __getitem__(self, indices):
        return self.pixels[torch.as_tensor(list(indices))]


@pytest.fixture(name="batches")
def batches_of_a_small_teacher(tmp_path):
    context = RunContext(runs=tmp_path, reporter=Reporter(quiet=True), workers=0)
    return TeacherBatches(build_network("cnn5", "bnneck", 2, seed=0).eval(), Images(), context)


def pooled(outputs):
    return torch.cat([batch.pooled for batch in outputs])


def test_in_order_they_are_the_teachers_outputs_image_by_image(batches):
    sizes = [len(batch.logits) for batch in batches()]
    assert sizes == [PREPARE_BATCH, 6]
    with torch.no_grad():
        parts = normalise_pixels(batches.images.pixels).split(PREPARE_BATCH)
        expected = [as_float32(batches.teacher(images)) for images in parts]
    assert torch.equal(pooled(batches()), pooled(expected))


def test_shuffled_they_are_the_same_images_in_an_order_of_the_generator(batches):
    order = torch.randperm(IMAGES, generator=torch.Generator().manual_seed(3))
    shuffled = pooled(batches.shuffled(torch.Generator().manual_seed(3)))
    torch.testing.assert_close(shuffled, pooled(batches())[order])
    assert isinstance(batches, ShuffledBatches)


def test_a_method_may_compute_gradients_of_its_own_with_them(batches):
    for _ in batches():
        assert torch.is_grad_enabled()


def test_a_request_to_stop_ends_them(batches):
    class Stopped(StopRequest):
        requested = True

    stopped = RunContext(
        runs=batches.context.runs,
        device_name=batches.context.device_name,
        reporter=batches.context.reporter,
        workers=0,
        stop=Stopped(),
    )
    with pytest.raises(RunInterrupted):
        next(TeacherBatches(batches.teacher, batches.images, stopped)())
