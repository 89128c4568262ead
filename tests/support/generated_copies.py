"""Generated copies of real datasets: a few small images in the distributed layout."""

from dataclasses import replace

from harness.data.synthetic.counts import REAL_COUNTS, plan_from_counts, scale_counts
from harness.data.synthetic.generator import SyntheticSettings, manifest, plan_from_settings
from harness.data.synthetic.layouts import VEHICLE_LAYOUTS, render_like

SETTINGS = SyntheticSettings(
    train_identities=5,
    train_images=1,
    test_identities=6,
    queries=2,
    gallery_images=1,
    distractors=2,
    junk=1,
    cameras=3,
    height=64,
    width=32,
)
FEWEST_IMAGES = replace(
    SETTINGS,
    train_identities=2,
    test_identities=2,
    queries=1,
    distractors=1,
    cameras=2,
    height=32,
    width=16,
)


def write_copy(target, layout, settings=SETTINGS):
    """Write images with the given settings; return the dataset's folder below `target`."""
    kind = "vehicles" if layout in VEHICLE_LAYOUTS else "people"
    settings = replace(settings, kind=kind)
    specs = plan_from_settings(settings)
    return render_like(target, layout, settings.render_settings, specs, manifest(settings))


def write_proportional_copy(target, layout, images, seed, workers=1):
    """Write `images` images in the proportions of the real dataset; return its folder."""
    counts = scale_counts(REAL_COUNTS[layout], images)
    kind = "vehicles" if layout in VEHICLE_LAYOUTS else "people"
    settings = replace(
        SyntheticSettings(kind=kind, seed=seed, height=32, width=16).render_settings,
        cameras=counts.cameras,
        subjects=counts.subjects,
    )
    specs = plan_from_counts(counts, seed)
    return render_like(target, layout, settings, specs, {"like": layout}, workers=workers)
