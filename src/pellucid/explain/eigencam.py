"""Eigen-CAM: what a layer's places differ in most, whatever the class."""

import torch
from jaxtyping import Float
from torch import Tensor


def eigencam(
    maps: Float[Tensor, "photos channels h w"],
) -> tuple[Float[Tensor, "photos h w"], Float[Tensor, "photos"]]:
    """Eigen-CAM (Muhammad & Yeasin 2020): the first principal component of the activations.

    Each place is a point, with a coordinate for each channel; the map is how far it lies along the
    line that all places of the photo lie furthest apart on. Neither class nor gradient come in.

    Principal components are of centred points. The paper's formula does not say so, but without it
    the line is little more than the mean of all places, and the map bright everywhere.

    Which end of the line is up is arbitrary: here the end where the layer is more active (the sum
    of the sizes of all channels, as rectified ones have it), and what lies below the middle is cut
    off.

    Args:
        maps: of a layer, channel by channel.

    Returns:
        The maps, and the share of the places' variance that lies along that line; 0 where all
        places are alike.
    """
    found = [_first(one) for one in maps]
    drawn, shares = zip(*found, strict=True)
    return torch.stack(drawn), torch.stack(shares)


def _first(
    maps: Float[Tensor, "channels h w"],
) -> tuple[Float[Tensor, "h w"], Float[Tensor, ""]]:
    places = maps.flatten(1).T.cpu().double()
    centred = places - places.mean(0)
    _, lengths, lines = torch.linalg.svd(centred, full_matrices=False)
    # Places that are all alike differ by roundings, which are no line.
    if lengths[0] <= torch.finfo(maps.dtype).eps * places.norm():
        return torch.zeros_like(maps[0]), maps.new_zeros(())
    along = centred @ lines[0]
    activity = places.abs().sum(1)
    if along @ (activity - activity.mean()) < 0:
        along = -along
    share = lengths[0].square() / lengths.square().sum()
    return along.relu().reshape(maps.shape[1:]).to(maps), share.to(maps)
