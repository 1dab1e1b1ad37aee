"""The configurations of a bundle: data, but for the few expressions that MONAI needs to tie them together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Config = dict[str, Any]

_LIST = "$json.load(open(@{name}, encoding='utf-8'))"
_DEVICE = "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')"
_PAIR = "$monai.handlers.from_engine(['pred', 'label'])"
_LOSS = "$monai.handlers.from_engine(['loss'], first=True)"
_FILES = "$lambda batch: [item['image'].meta for item in batch]"
_PREDICTED = "$monai.handlers.from_engine(['pred'])"


def _network(classes: int) -> Config:
    return {"_target_": "SEResNet50", "spatial_dims": 2, "in_channels": 3, "num_classes": classes}


def _post(classes: int, *, labelled: bool) -> Config:
    steps: list[Config] = [{"_target_": "Activationsd", "keys": "pred", "softmax": True}]
    if labelled:
        steps += [
            {"_target_": "AsDiscreted", "keys": "pred", "argmax": True, "to_onehot": classes},
            {"_target_": "AsDiscreted", "keys": "label", "to_onehot": classes},
        ]
    return {"_target_": "Compose", "transforms": steps}


def _loader(dataset: str, *, batch: int, shuffle: bool) -> Config:
    return {
        "_target_": "DataLoader",
        "dataset": dataset,
        "batch_size": batch,
        "shuffle": shuffle,
        "num_workers": "@num_workers",
    }


def _dataset(listed: str, transform: str) -> Config:
    return {"_target_": "Dataset", "data": _LIST.format(name=listed), "transform": transform}


def _metric() -> Config:
    return {"accuracy": {"_target_": "ignite.metrics.Accuracy", "output_transform": _PAIR}}


def inference(preparation: Sequence[Config], classes: int) -> Config:
    """Return ``inference.json``: probabilities of every picture of a list, as CSV."""
    return {
        "imports": ["$import json", "$import torch", "$import monai"],
        "bundle_root": ".",
        "dataset_dir": ".",
        "test_json": "$@bundle_root + '/label/test_samples.json'",
        "output_dir": "$@bundle_root + '/eval'",
        "num_workers": 0,
        "batch_size": 8,
        "device": _DEVICE,
        "network_def": _network(classes),
        "network": "$@network_def.to(@device)",
        "preprocessing": {"_target_": "Compose", "transforms": list(preparation)},
        "dataset": _dataset("test_json", "@preprocessing"),
        "dataloader": {**_loader("@dataset", batch=8, shuffle=False), "batch_size": "@batch_size"},
        "inferer": {"_target_": "SimpleInferer"},
        "postprocessing": _post(classes, labelled=False),
        "handlers": [
            {
                "_target_": "CheckpointLoader",
                "load_path": "$@bundle_root + '/models/model.pt'",
                "load_dict": {"model": "@network"},
            },
            {
                "_target_": "ClassificationSaver",
                "output_dir": "@output_dir",
                "filename": "predictions.csv",
                "batch_transform": _FILES,
                "output_transform": _PREDICTED,
            },
        ],
        "evaluator": {
            "_target_": "SupervisedEvaluator",
            "device": "@device",
            "val_data_loader": "@dataloader",
            "network": "@network",
            "inferer": "@inferer",
            "postprocessing": "@postprocessing",
            "val_handlers": "@handlers",
            "amp": False,
        },
        "initialize": ["$monai.utils.set_determinism(seed=123)"],
        "run": ["$@evaluator.run()"],
    }


def train(preparation: Sequence[Config], augmentation: Sequence[Config], classes: int) -> Config:
    """Return ``train.json``: training with a validation after every epoch, whose best accuracy is kept."""
    label: Config = {"_target_": "ToTensord", "keys": "label"}
    return {
        "imports": ["$import json", "$import torch", "$import monai"],
        "bundle_root": ".",
        "dataset_dir": ".",
        "train_json": "$@bundle_root + '/label/train_samples.json'",
        "val_json": "$@bundle_root + '/label/val_samples.json'",
        "test_json": "$@bundle_root + '/label/test_samples.json'",
        "ckpt_dir": "$@bundle_root + '/models'",
        "output_dir": "$@bundle_root + '/eval'",
        "num_workers": 0,
        "batch_size": 32,
        "learning_rate": 1e-3,
        "max_epochs": 25,
        "val_interval": 1,
        "device": _DEVICE,
        "network_def": _network(classes),
        "network": "$@network_def.to(@device)",
        "loss": {"_target_": "torch.nn.CrossEntropyLoss", "reduction": "mean"},
        "optimizer": {"_target_": "torch.optim.Adam", "params": "$@network.parameters()", "lr": "@learning_rate"},
        "train": {
            "preprocessing": {"_target_": "Compose", "transforms": [*preparation, label, *augmentation]},
            "dataset": _dataset("train_json", "@train#preprocessing"),
            "dataloader": {**_loader("@train#dataset", batch=32, shuffle=True), "batch_size": "@batch_size"},
            "inferer": {"_target_": "SimpleInferer"},
            "postprocessing": _post(classes, labelled=True),
            "handlers": [
                {
                    "_target_": "ValidationHandler",
                    "validator": "@validate#evaluator",
                    "epoch_level": True,
                    "interval": "@val_interval",
                },
                {"_target_": "StatsHandler", "tag_name": "train_loss", "output_transform": _LOSS},
            ],
            "key_metric": _metric(),
            "trainer": {
                "_target_": "SupervisedTrainer",
                "max_epochs": "@max_epochs",
                "device": "@device",
                "train_data_loader": "@train#dataloader",
                "network": "@network",
                "loss_function": "@loss",
                "optimizer": "@optimizer",
                "inferer": "@train#inferer",
                "postprocessing": "@train#postprocessing",
                "key_train_metric": "@train#key_metric",
                "train_handlers": "@train#handlers",
                "amp": False,
            },
        },
        "validate": {
            "preprocessing": {"_target_": "Compose", "transforms": [*preparation, label]},
            "dataset": _dataset("val_json", "@validate#preprocessing"),
            "dataloader": {**_loader("@validate#dataset", batch=32, shuffle=False), "batch_size": "@batch_size"},
            "inferer": {"_target_": "SimpleInferer"},
            "postprocessing": _post(classes, labelled=True),
            "handlers": [
                {"_target_": "StatsHandler", "iteration_log": False},
                {
                    "_target_": "CheckpointSaver",
                    "save_dir": "@ckpt_dir",
                    "save_dict": {"model": "@network"},
                    "save_key_metric": True,
                    "key_metric_filename": "model.pt",
                },
            ],
            "key_metric": _metric(),
            "evaluator": {
                "_target_": "SupervisedEvaluator",
                "device": "@device",
                "val_data_loader": "@validate#dataloader",
                "network": "@network",
                "inferer": "@validate#inferer",
                "postprocessing": "@validate#postprocessing",
                "key_val_metric": "@validate#key_metric",
                "val_handlers": "@validate#handlers",
                "amp": False,
            },
        },
        "initialize": ["$monai.utils.set_determinism(seed=123)"],
        "run": ["$@train#trainer.run()"],
    }


def evaluate() -> Config:
    """Return ``evaluate.json``, laid over ``train.json``: the kept weights on the test list."""
    return {
        "validate#dataset": _dataset("test_json", "@validate#preprocessing"),
        "validate#handlers": [
            {
                "_target_": "CheckpointLoader",
                "load_path": "$@ckpt_dir + '/model.pt'",
                "load_dict": {"model": "@network"},
            },
            {"_target_": "StatsHandler", "iteration_log": False},
            {"_target_": "MetricsSaver", "save_dir": "@output_dir", "metrics": ["accuracy"]},
        ],
        "initialize": ["$monai.utils.set_determinism(seed=123)"],
        "run": ["$@validate#evaluator.run()"],
    }


def multi_gpu() -> Config:
    """Return ``multi_gpu_train.json``, laid over ``train.json`` under ``torchrun``: one process a GPU."""

    def sampler(dataset: str, *, train: bool) -> Config:
        return {"_target_": "DistributedSampler", "dataset": dataset, "even_divisible": train, "shuffle": train}

    return {
        "device": "$torch.device('cuda:' + os.environ['LOCAL_RANK'])",
        "imports": ["$import json", "$import os", "$import torch", "$import monai"],
        "network": {
            "_target_": "torch.nn.parallel.DistributedDataParallel",
            "module": "$@network_def.to(@device)",
            "device_ids": ["@device"],
        },
        "train#sampler": sampler("@train#dataset", train=True),
        "train#dataloader#sampler": "@train#sampler",
        "train#dataloader#shuffle": False,
        "validate#sampler": sampler("@validate#dataset", train=False),
        "validate#dataloader#sampler": "@validate#sampler",
        "initialize": [
            "$torch.distributed.init_process_group(backend='nccl')",
            "$torch.cuda.set_device(@device)",
            "$monai.utils.set_determinism(seed=123)",
        ],
        "run": ["$@train#trainer.run()"],
        "finalize": ["$torch.distributed.destroy_process_group()"],
    }
