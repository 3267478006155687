"""The columns of the two tables. More may be added; none is renamed or removed."""

import pyarrow as pa

SCHEMA_VERSION = 2  # 2: sweep.json has a checksum, which version 1 would keep as it was

_TIME = pa.timestamp("us", tz="UTC")

# One row per (trial_id, epoch). Losses are mean cross-entropies in nats, accuracies fractions in [0, 1].
EPOCHS = pa.schema(
    [
        pa.field("sweep_id", pa.string(), nullable=False),
        pa.field("trial_id", pa.string(), nullable=False),
        pa.field("epoch", pa.int32(), nullable=False),  # counts from 1
        pa.field("step", pa.int64()),  # optimiser steps taken so far
        pa.field("train_loss", pa.float64()),  # training mode, augmented, while the weights move
        pa.field("train_acc", pa.float64()),
        pa.field("train_eval_loss", pa.float64()),  # evaluation mode, clean, fixed subset of the training images
        pa.field("train_eval_acc", pa.float64()),
        pa.field("train_mode_loss", pa.float64()),  # training mode, augmented, weights and images of train_eval_loss
        pa.field("val_loss", pa.float64()),
        pa.field("val_acc", pa.float64()),
        # What batch norm's running statistics do: val_loss with ones gathered anew at the epoch's weights, with dropout
        # as in training and without it; and for each layer, from input to output, the variance that it meets in
        # evaluation mode on the images of train_eval_loss over its running variance.
        pa.field("val_loss_without_lag", pa.float64()),
        pa.field("val_loss_without_shift", pa.float64()),
        pa.field("variance_shift", pa.list_(pa.float64())),
        pa.field("gap_loss", pa.float64()),  # val_loss - train_eval_loss
        pa.field("gap_acc", pa.float64()),  # train_eval_acc - val_acc
        pa.field("test_loss", pa.float64()),  # of final evaluations only, and where val_acc is the best so far
        pa.field("test_acc", pa.float64()),
        pa.field("lr", pa.float64()),
        pa.field("epoch_s", pa.float64()),
        pa.field("images_per_s", pa.float64()),  # training images over the training part of the epoch
        pa.field("attempt", pa.int32()),  # counts from 1; rises when a trial is started again
        pa.field("node", pa.string()),
        pa.field("timestamp", _TIME),
    ]
)

# One row per trial.
TRIALS = pa.schema(
    [
        pa.field("sweep_id", pa.string(), nullable=False),
        pa.field("trial_id", pa.string(), nullable=False),
        pa.field("replicate", pa.int32()),  # counts from 0
        pa.field("model", pa.string()),
        pa.field("dataset", pa.string()),
        pa.field("lr", pa.float64()),
        pa.field("drop_rate", pa.float64()),
        pa.field("momentum", pa.float64()),
        pa.field("eps", pa.float64()),
        pa.field("layer_order", pa.string()),
        pa.field("augment", pa.string()),
        pa.field("crop_padding", pa.int32()),
        pa.field("flip_prob", pa.float64()),
        pa.field("brightness", pa.float64()),
        pa.field("contrast", pa.float64()),
        pa.field("saturation", pa.float64()),
        pa.field("hue", pa.float64()),
        pa.field("weight_decay", pa.float64()),
        pa.field("sgd_momentum", pa.float64()),
        pa.field("batch_size", pa.int32()),
        pa.field("optimizer", pa.string()),
        pa.field("configuration", pa.string()),  # the canonical configuration as JSON
        pa.field("configuration_id", pa.string()),  # shared by the replicates of one configuration
        pa.field("epochs_run", pa.int32()),
        pa.field("status", pa.string()),  # one of STATUSES
        pa.field("stop_reason", pa.string()),  # asha, diverged, gap, …; null where it was trained to its end or runs
        pa.field("stop_value", pa.float64()),  # the number that decided: what, says the rule of that name
        pa.field("promoted_at", pa.int32()),  # the epoch of the last rung at which it waited and went on
        pa.field("best_epoch", pa.int32()),  # of the highest val_acc, the earliest one on ties
        pa.field("best_val_acc", pa.float64()),
        pa.field("best_val_loss", pa.float64()),  # at best_epoch
        pa.field("last_train_loss", pa.float64()),
        pa.field("last_train_acc", pa.float64()),
        pa.field("last_train_eval_loss", pa.float64()),
        pa.field("last_train_eval_acc", pa.float64()),
        pa.field("last_val_loss", pa.float64()),
        pa.field("last_val_acc", pa.float64()),
        pa.field("gap_at_best", pa.float64()),  # gap_loss at best_epoch
        pa.field("gap_at_last", pa.float64()),
        pa.field("test_loss", pa.float64()),  # at best_epoch; of final evaluations only
        pa.field("test_acc", pa.float64()),
        pa.field("seconds", pa.float64()),  # sum of the epochs' own times
        pa.field("attempts", pa.int32()),
        pa.field("error", pa.string()),
        pa.field("started", _TIME),
        pa.field("ended", _TIME),
    ]
)

SCHEMAS = {"epochs": EPOCHS, "trials": TRIALS}

STATUSES = ("COMPLETED", "STOPPED", "FAILED", "ABANDONED", "RUNNING")
ENDED = frozenset({"COMPLETED", "STOPPED", "FAILED", "ABANDONED"})
