#!/usr/bin/env python3
"""A training run of the local stack, by MLflow's own client: a few parameters and a loss that falls.

  train.py TRACKING_URI [--experiment NAME] [--fail]

With --fail it breaks down half way, as it was asked, and the client marks its run as FAILED.
"""

import argparse
import os

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "true")
# A server that is not there is said at once.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")

import mlflow  # noqa: E402  reads the settings above


class Breakdown(Exception):
    """What ends a training."""


def train(fail):
    with mlflow.start_run() as run:
        print(f"run {run.info.run_id}")
        mlflow.log_params({"rate": 0.1, "epochs": 4})
        for epoch in range(4):
            if fail and epoch == 2:
                raise Breakdown("the loss is not a number")
            mlflow.log_metric("loss", 0.7 * 0.8**epoch, step=epoch)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tracking_uri")
    parser.add_argument("--experiment", default="churn")
    parser.add_argument("--fail", action="store_true")
    options = parser.parse_args()
    mlflow.set_tracking_uri(options.tracking_uri)
    try:
        mlflow.set_experiment(options.experiment)
        train(options.fail)
    except Breakdown as error:
        print(f"the training broke down: {error}")
    except mlflow.exceptions.MlflowException as error:
        raise SystemExit(f"train.py: {error}") from None


if __name__ == "__main__":
    main()
