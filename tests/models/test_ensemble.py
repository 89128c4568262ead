import numpy as np
import torch

from harness.models import ENSEMBLES, EnsembleTeacher, build_network


def test_an_ensemble_has_the_mean_of_its_members_logits_and_no_features():
    members = [build_network(name, "own", 5).eval() for name in ENSEMBLES["resnet18-directional"]]
    ensemble, images = EnsembleTeacher(members).eval(), torch.rand(2, 3, 128, 128)
    outputs = ensemble(images)
    logits = [member(images).logits.detach().numpy() for member in members]
    np.testing.assert_allclose(outputs.logits.detach(), np.mean(logits, axis=0), atol=1e-6)
    assert ensemble.widths.maps == outputs.maps == ()
    assert ensemble.widths.embedding == 0 and ensemble.widths.identities == 5
    assert outputs.pooled.numel() == outputs.embedding.numel() == outputs.pre_relu.numel() == 0
