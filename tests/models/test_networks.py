"""The block and both networks, in every layer order."""

import copy
import functools

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from search_spaces.layer_order import VALID_ORDERS
from sweep.models import BatchNorm1d, BatchNorm2d, Block, Dropout, ShapeError, build_model
from sweep.models.dropout import NoiseSource
from sweep.training.noise import Noise

SETTINGS = {"drop_rate": 0.3, "momentum": 0.2, "eps": 1e-4}


def seeded_noise(seed: int) -> NoiseSource:
    generator = torch.Generator().manual_seed(seed)
    return lambda count: torch.randint(-(2**15), 2**15, (count,), dtype=torch.int16, generator=generator)


def small(model: str, layer_order: str = "lbrd", seed: int = 0, **more: object) -> nn.Module:
    """A network for 3×8×8 images and 5 classes."""
    torch.manual_seed(seed)
    arguments = {"image_shape": (3, 8, 8), "num_classes": 5, "layer_order": layer_order, **SETTINGS, **more}
    arguments.setdefault("noise", seeded_noise(seed))
    arguments.setdefault("hidden" if model == "mlp" else "channels", [6, 7])
    return build_model(model, **arguments)


def images(n: int = 12) -> Tensor:
    return torch.randn(n, 3, 8, 8, generator=torch.Generator().manual_seed(9))


@pytest.mark.parametrize("model", ["mlp", "cnn"])
@pytest.mark.parametrize("layer_order", VALID_ORDERS)
def test_every_layer_order_takes_a_training_step_and_evaluates(model: str, layer_order: str) -> None:
    network, x, labels = small(model, layer_order), images(), torch.arange(12) % 5
    blocks = [module for module in network.modules() if isinstance(module, Block)]
    assert ["".join(name for name, _ in block.named_children()) for block in blocks] == [layer_order] * 2
    loss = F.cross_entropy(network(x), labels)
    loss.backward()
    assert loss.isfinite()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
    assert network.head.weight.grad.abs().sum() > 0
    network.eval()
    with torch.no_grad():
        logits = network(x)
        assert torch.equal(network(x), logits)
    assert logits.shape == (12, 5)
    assert logits.isfinite().all()


@pytest.mark.parametrize("layer_order", VALID_ORDERS)
@pytest.mark.parametrize("training", [True, False])
def test_a_block_computes_what_its_layers_compute_one_by_one(layer_order: str, training: bool) -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(48, 64, 1).double()
    block = Block(layer_order, conv, drop_rate=0.3, momentum=0.2, eps=1e-4, noise=Noise(torch.device("cpu"))).double()
    block.train(training)
    # Several blocks of rows, the last one shorter: 20 * 11 * 13 rows of 48 or 64 float64 values.
    x, dy = (torch.randn(20, c, 11, 13, dtype=torch.float64) for c in (48, 64))
    x.requires_grad_()
    start = copy.deepcopy(block.state_dict())
    results = []
    for compute in (block, lambda x: functools.reduce(lambda x, layer: layer(x), block.children(), x)):
        block.load_state_dict(start)
        block.zero_grad()
        if "d" in layer_order:
            block.d.noise.seed(3)
        y = compute(x)
        grads = torch.autograd.grad(y, [x, *block.parameters()], dy)
        results.append((y, *grads, *(buffer.clone() for buffer in block.buffers())))
    for together, one_by_one in zip(*results, strict=True):
        torch.testing.assert_close(together, one_by_one, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("drop_rate", [0.0, 0.3])
@pytest.mark.parametrize("layer_order", VALID_ORDERS)
def test_a_convolution_by_tiles_trains_like_a_direct_one_in_every_order(
    layer_order: str, drop_rate: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = []
    for fewest in (16, 1000):
        monkeypatch.setattr("sweep.models.convolution.FEWEST_FEATURES", fewest)
        network = small("cnn", layer_order, channels=[16, 20], drop_rate=drop_rate)
        loss = F.cross_entropy(network(images()), torch.arange(12) % 5)
        results.append([loss, *torch.autograd.grad(loss, list(network.parameters()))])
    for tiled, direct in zip(*results, strict=True):
        torch.testing.assert_close(tiled, direct, rtol=1e-3, atol=1e-4)


def test_there_are_49_orders_under_test() -> None:
    assert len(set(VALID_ORDERS)) == 49


@pytest.mark.parametrize(
    ("model", "order", "widths"),
    [
        ("mlp", "blrd", [192, 6]),
        ("mlp", "lbrd", [6, 7]),
        ("mlp", "rdbl", [192, 6]),
        ("cnn", "blrd", [3, 6]),
        ("cnn", "rlb", [6, 7]),
    ],
)
def test_batch_norm_has_the_width_at_its_place(model: str, order: str, widths: list[int]) -> None:
    kind = BatchNorm1d if model == "mlp" else BatchNorm2d
    found = [module for module in small(model, order).modules() if isinstance(module, kind)]
    assert [layer.num_features for layer in found] == widths


@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_settings_reach_every_layer(model: str) -> None:
    noise = seeded_noise(0)
    network = small(model, noise=noise)
    norms = [module for module in network.modules() if isinstance(module, BatchNorm1d | BatchNorm2d)]
    drops = [module for module in network.modules() if isinstance(module, Dropout)]
    assert [(norm.momentum, norm.eps) for norm in norms] == [(0.2, 1e-4)] * 2
    assert [(drop.p, drop.noise) for drop in drops] == [(0.3, noise)] * 2
    assert all(layer.bias is not None for layer in network.modules() if isinstance(layer, nn.Linear | nn.Conv2d))


@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_equal_seeds_give_equal_outputs_and_other_seeds_others(model: str) -> None:
    outputs = [small(model, seed=seed)(images()) for seed in (1, 1, 2)]
    assert torch.equal(outputs[0], outputs[1])
    assert not torch.equal(outputs[0], outputs[2])


@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_initial_weights_do_not_depend_on_the_layer_order(model: str) -> None:
    with_all, alone = small(model, "bdlr").state_dict(), small(model, "l").state_dict()
    assert set(alone) < set(with_all)
    for name, value in alone.items():
        assert torch.equal(with_all[name], value), name


def test_the_default_networks_are_those_of_the_report() -> None:
    common = {"num_classes": 10, "layer_order": "lbrd", **SETTINGS}
    mlp, cnn = build_model("mlp", **common), build_model("cnn", **common)
    shapes = [tuple(p.shape) for p in mlp.parameters()]
    assert shapes == [(512, 3072), (512,), (512,), (512,), (10, 512), (10,)]
    shapes = [tuple(p.shape) for p in cnn.parameters() if p.dim() > 1]
    assert shapes == [(32, 3, 3, 3), (64, 32, 3, 3), (10, 64 * 8 * 8)]


@pytest.mark.parametrize("order", ["lbrd", "blr", "rdbl"])
def test_the_cnn_computes_what_torchs_layers_compute(order: str) -> None:
    cnn = small("cnn", order, kernel_size=5, drop_rate=0.0).double()

    def theirs(name: str, module: nn.Module) -> nn.Module:
        return nn.BatchNorm2d(module.num_features, eps=1e-4, momentum=0.2) if name == "b" else module

    stages: list[nn.Module] = []
    for stage in cnn.blocks:
        stages += [theirs(*child) for child in stage.named_children()] if isinstance(stage, Block) else [stage]
    reference = nn.Sequential(*stages, nn.Flatten(), cnn.head).double()
    for training in (True, True, False):
        cnn.train(training)
        reference.train(training)
        torch.testing.assert_close(cnn(images().double()), reference(images().double()), rtol=1e-12, atol=1e-12)


def test_odd_images_and_one_pixel_left_are_enough() -> None:
    network = small("cnn", image_shape=(1, 7, 4), channels=[2, 3], kernel_size=1)
    assert network(torch.randn(5, 1, 7, 4)).shape == (5, 5)


@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_other_images_than_built_for_are_refused(model: str) -> None:
    with pytest.raises(ShapeError, match=r"got shape \(2, 3, 9, 8\), this network was built for \(N, 3, 8, 8\)"):
        small(model)(torch.zeros(2, 3, 9, 8))


@pytest.mark.parametrize(
    ("model", "more", "words"),
    [
        ("cnn", {"channels": [4, 4, 4, 4]}, "4 blocks halve the image 4 times and need at least 16x16 pixels, got 8x8"),
        ("cnn", {"kernel_size": 4}, "model_args.kernel_size: got 4"),
        ("cnn", {"hidden": [4]}, "model_args.hidden: unknown key"),
        ("mlp", {"image_shape": (3, 8)}, "image_shape: got"),
        ("mlp", {"num_classes": 0}, "num_classes: 0"),
        ("mlp", {"layer_order": "lbb"}, "lbb"),
        ("mlp", {"drop_rate": 1.0}, "p is 1.0"),
        ("mlpp", {}, "did you mean mlp"),
    ],
)
def test_a_wrong_argument_is_named_with_what_is_allowed(model: str, more: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        small(model, **more)
