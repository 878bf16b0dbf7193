"""Weights of other libraries, by name: they come with their preprocessing, or say why not."""

from urllib.error import URLError

import pytest
import timm
import torch
import torchvision

from tlcourse.models import Normalise, pretrained

PLAIN_TORCHVISION, PLAIN_TIMM = torchvision.models.get_model, timm.create_model


@pytest.fixture
def torchvision_online(monkeypatch) -> list:
    """Stands for a network: hands out the architecture without its weights, and notes which."""
    asked = []

    def get_model(name, *, weights):
        asked.append(str(weights))
        return PLAIN_TORCHVISION(name, weights=None)

    monkeypatch.setattr(torchvision.models, "get_model", get_model)
    return asked


@pytest.fixture
def timm_online(monkeypatch) -> list:
    asked = []

    def create_model(name, *, pretrained):
        asked.append((name, pretrained))
        return PLAIN_TIMM(name, pretrained=False)

    monkeypatch.setattr(timm, "create_model", create_model)
    return asked


def first_layer(network) -> Normalise:
    layer = network.backbone[0]
    assert isinstance(layer, Normalise)
    return layer


def test_torchvisions_weights_bring_their_normalisation_and_size(torchvision_online):
    network = pretrained("torchvision:resnet18")
    assert torchvision_online == ["ResNet18_Weights.IMAGENET1K_V1"]
    layer = first_layer(network)
    assert layer.mean.flatten().tolist() == pytest.approx([0.485, 0.456, 0.406])
    assert layer.std.flatten().tolist() == pytest.approx([0.229, 0.224, 0.225])
    assert network.size == 224 and not network.training


def test_a_network_by_name_computes_what_the_library_computes_on_normalised_pictures(
    torchvision_online, monkeypatch
):
    model = PLAIN_TORCHVISION("resnet18", weights=None).eval()
    x = torch.rand(1, 3, 64, 64)
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in ([0.485, 0.456, 0.406],
                                                         [0.229, 0.224, 0.225]))
    with torch.no_grad():
        expected = model((x - mean) / std)
        monkeypatch.setattr(torchvision.models, "get_model", lambda name, weights: model)
        assert torch.allclose(pretrained("torchvision:resnet18")(x), expected, atol=1e-5)


def test_timms_weights_bring_their_own_normalisation(timm_online):
    network = pretrained("timm:vit_tiny_patch16_224.augreg_in21k_ft_in1k")
    assert timm_online == [("vit_tiny_patch16_224.augreg_in21k_ft_in1k", True)]
    # Unlike torchvision's and timm's other weights, these were trained with one half everywhere.
    assert first_layer(network).mean.flatten().tolist() == [0.5, 0.5, 0.5]
    assert network.size == 224 and not network.training
    assert network.head.out_features == 1000


def test_the_bundled_weights_say_their_size_too():
    assert pretrained("efficientnet_lite0").size == 224


@pytest.mark.parametrize("name", ["torchvision:resnet18", "timm:resnet18.a1_in1k"])
def test_without_a_network_the_message_names_the_weights_and_a_way_out(name, monkeypatch):
    def unreachable(*args, **kwargs):
        raise URLError("name resolution failed")

    monkeypatch.setattr(torchvision.models, "get_model", unreachable)
    monkeypatch.setattr(timm, "create_model", unreachable)
    with pytest.raises(ValueError, match=f"{name} are not on this machine .*resolution failed.*"
                                         "once with a network.*'efficientnet_lite0'"):
        pretrained(name)


@pytest.mark.parametrize("name", ["torchvision:resnet-18", "timm:resnet18.no_such", "timm:net"])
def test_a_name_that_the_library_does_not_know_points_at_its_list(name):
    with pytest.raises(ValueError, match=f"load the weights {name} .*list_models.*list_pretrained"):
        pretrained(name)


def test_another_library_is_refused():
    with pytest.raises(ValueError, match="no library 'keras'.* torchvision:NAME or timm:NAME"):
        pretrained("keras:resnet50")
