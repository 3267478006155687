"""The layers, written from their formulas, and the networks built from a layer order. Knows torch; no Ray, no files."""

from sweep.models.batch_norm import BatchNorm1d, BatchNorm2d
from sweep.models.block import Block
from sweep.models.build import build_model
from sweep.models.cnn import CNN
from sweep.models.dropout import Dropout
from sweep.models.errors import ShapeError
from sweep.models.mlp import MLP

__all__ = ["CNN", "MLP", "BatchNorm1d", "BatchNorm2d", "Block", "Dropout", "ShapeError", "build_model"]
