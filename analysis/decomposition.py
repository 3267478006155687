"""What the usual difference between two curves is made of."""

import pandas as pd

from analysis.results import TRIAL_KEY, Results

PARTS = ("overfitting", "regularisation", "averaging")


def decompose(results: Results) -> pd.DataFrame:
    """One row per (trial, epoch): val_loss - train_loss, the gap that people usually plot, and its three causes (nats).

    Columns: sweep_id, trial_id, epoch, difference, and parts that sum to it:
    overfitting     val_loss - train_eval_loss: the same mode, images that were trained on or not; equal to gap_loss;
    regularisation  train_eval_loss - train_mode_loss: the same weights and images, without and with dropout,
                    augmentation and batch statistics; below 0 where these make the training task harder, above 0
                    where evaluation mode does not suit the weights (running statistics that lag, dropout before a
                    max-pool, whose output shrinks when nothing is dropped);
    averaging       train_mode_loss - train_loss: the same mode, at the epoch's last weights and over the epoch while
                    they moved; below 0 while training makes progress. It also holds that train_loss is of all training
                    images, the others of as many as there are for validation.
    regularisation and averaging are NaN where train_mode_loss was not measured (`decompose: true` in the spec; the
    default in mode study).
    """
    epochs = results.epochs
    return epochs[[*TRIAL_KEY, "epoch"]].assign(
        difference=epochs["val_loss"] - epochs["train_loss"],
        overfitting=epochs["val_loss"] - epochs["train_eval_loss"],
        regularisation=epochs["train_eval_loss"] - epochs["train_mode_loss"],
        averaging=epochs["train_mode_loss"] - epochs["train_loss"],
    )
