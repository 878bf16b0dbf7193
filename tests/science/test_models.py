"""Networks: seeds, stages, heads that are found, and weights that do not fit."""

import pytest
import torch
from torch import nn

from tlcourse.models import Normalise, as_network, load_weights, pretrained, save_weights, small_cnn


def test_a_seed_makes_the_same_network_and_leaves_the_global_random_state_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, again, other = (small_cnn(10, seed=s).state_dict() for s in (1, 1, 2))
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(first[k], again[k]) for k in first)
    assert not torch.equal(first["head.weight"], other["head.weight"])


@pytest.mark.parametrize("size", [16, 28, 64])
def test_the_small_cnn_has_named_stages_and_takes_pictures_of_any_size(size):
    model = small_cnn(7, channels=3, width=8, seed=0)
    stages = ["normalise", "stage1", "stage2", "stage3", "embed"]
    assert [name for name, _ in model.backbone.named_children()] == stages
    x = torch.rand(2, 3, size, size)
    assert model.features(x).shape == (2, 32) and model(x).shape == (2, 7)
    assert torch.equal(model(x), model.head(model.features(x)))


def test_settings_that_make_no_network_are_refused():
    with pytest.raises(ValueError, match="at least 2 classes"):
        small_cnn(1, seed=0)


def test_normalisation_is_saved_with_the_weights():
    layer = Normalise([0.5, 0.25], [0.5, 0.25])
    x = torch.rand(4, 2, 3, 3)
    assert torch.allclose(layer(x)[:, 1], (x[:, 1] - 0.25) / 0.25)
    assert set(layer.state_dict()) == {"mean", "std"}


TORCHVISION = ["resnet18", "alexnet", "vgg11", "mobilenet_v2", "mobilenet_v3_small", "densenet121"]


@pytest.mark.parametrize("name", TORCHVISION)
def test_a_torchvision_net_splits_into_backbone_and_head_and_computes_the_same(name):
    import torchvision

    model = torchvision.models.get_model(name, weights=None, num_classes=5).eval()
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        expected = model(x)
        network = as_network(model)
        assert isinstance(network.head, nn.Linear) and network.head.out_features == 5
        assert network.features(x).shape == (1, network.head.in_features)
        assert torch.allclose(network(x), expected, atol=1e-6)


def test_googlenet_trains_with_its_auxiliary_heads_and_as_a_network_without_them():
    import torchvision

    from tlcourse.data import Domain
    from tlcourse.training import fit

    few = Domain("few", torch.rand(4, 3, 64, 64), [0, 1, 2, 0])
    make = torchvision.models.googlenet
    model = make(weights=None, num_classes=3, aux_logits=True, init_weights=False)
    before = model.aux1.fc2.weight.clone()
    fit(model, few, steps=1, seed=0)
    assert not torch.equal(model.aux1.fc2.weight, before)
    network = as_network(model)
    assert network.backbone.body.aux1 is None
    fit(network, few, steps=1, seed=0)


def test_a_net_without_a_recognisable_head_is_refused_with_its_parts():
    with pytest.raises(ValueError, match="its parts are body"):
        as_network(_Odd())


class _Odd(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(3, 3)


def test_lite0_recognises_a_real_photograph():
    from PIL import Image
    from skimage.data import coffee
    from torchvision.transforms.functional import to_tensor

    picture = to_tensor(Image.fromarray(coffee()).resize((224, 224)))[None]
    network = pretrained("efficientnet_lite0")
    with torch.no_grad():
        probability, number = network(picture).softmax(1).max(1)
    assert number.item() == 967, "espresso"
    assert probability.item() > 0.5
    with pytest.raises(ValueError, match="efficientnet_lite0, printed_cnn; .*torchvision:resnet18"):
        pretrained("resnet18")
    with pytest.raises(ValueError, match="holds data, not weights"):
        pretrained("uci_digits")


def test_the_printed_cnn_reads_print_and_little_handwriting():
    from tlcourse.data import load
    from tlcourse.training import accuracy

    network = pretrained("printed_cnn")
    assert not network.training and network.size == 16
    assert accuracy(network, load("printed_digits")) > 0.99
    assert 0.2 < accuracy(network, load("uci_digits")) < 0.6, "that is what transfer is for"
    once_more = pretrained("printed_cnn")
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), once_more.parameters(),
                                                 strict=True))
    assert network.head.weight is not once_more.head.weight, "training one leaves the other alone"


def test_weights_survive_the_round_trip_through_a_file(tmp_path):
    model, other = small_cnn(4, width=4, seed=0), small_cnn(4, width=4, seed=1)
    x = torch.rand(2, 1, 16, 16)
    save_weights(model.eval(), tmp_path / "weights.safetensors")
    load_weights(other.eval(), tmp_path / "weights.safetensors")
    assert torch.equal(model(x), other(x))


def test_a_checkpoint_of_another_shape_names_the_layer_and_both_shapes(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_weights(small_cnn(26, width=4, seed=0), path)
    model = small_cnn(10, width=4, seed=1)
    before = model.head.weight.clone()
    with pytest.raises(ValueError, match=r"head\.weight is \(26, 16\) in the file and \(10"):
        load_weights(model, path)
    assert torch.equal(model.head.weight, before), "nothing half loaded"
    with pytest.raises(ValueError, match=r"weight is missing in the file and \(2, 2\)"):
        load_weights(nn.Linear(2, 2), path)


def test_a_checkpoint_cut_short_is_refused(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_weights(small_cnn(4, width=4, seed=0), path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ValueError, match="no complete safetensors file"):
        load_weights(small_cnn(4, width=4, seed=0), path)
