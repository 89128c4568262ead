"""Batches in random order, of callers that offer it and of those that do not."""

import torch

from methods.preparation import shuffle_batches
from tests.support.outputs import SMALL, changed, fake, tensors


def numbered(batch, first):
    """Outputs in which every entry of an image is its number, counted from `first`."""

    def number(tensor):
        numbers = torch.arange(first, first + len(tensor)).to(tensor)
        return numbers.view(-1, *[1] * (tensor.dim() - 1)).expand_as(tensor)

    return changed(fake(SMALL, batch), number)


def numbers_in(batches):
    """The numbers of the images, batch by batch; in all tensors the same."""
    seen = []
    for batch in batches:
        rows = [tensor.flatten(1)[:, 0].int().tolist() for tensor in tensors(batch)]
        assert all(row == rows[0] for row in rows)
        seen.append(rows[0])
    return seen


def three_batches():
    return iter([numbered(4, 0), numbered(4, 4), numbered(3, 8)])


def test_images_of_a_plain_callable_are_shuffled_across_its_batches():
    first = numbers_in(shuffle_batches(three_batches, torch.Generator().manual_seed(0)))
    again = numbers_in(shuffle_batches(three_batches, torch.Generator().manual_seed(0)))
    other = numbers_in(shuffle_batches(three_batches, torch.Generator().manual_seed(1)))
    assert first == again != other
    assert [len(batch) for batch in first] == [4, 4, 3]
    order = [number for batch in first for number in batch]
    assert sorted(order) == list(range(11)) != order


def test_batches_that_offer_a_random_order_are_read_in_it():
    class Offered:
        def __call__(self):
            raise AssertionError("read in fixed order")

        def shuffled(self, generator):
            yield numbered(2, int(torch.randint(9, (), generator=generator)))

    first = torch.randint(9, (), generator=torch.Generator().manual_seed(0)).item()
    batches = shuffle_batches(Offered(), torch.Generator().manual_seed(0))
    assert numbers_in(batches) == [[first, first + 1]]


def test_no_batches_are_no_batches():
    assert list(shuffle_batches(list, torch.Generator())) == []
