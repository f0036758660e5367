"""Uploads a model with the requests library, as any Python program would."""

import os
import sys

import requests

api = os.environ.get("DWCTL_API_URL", "http://localhost:8000")
with open(sys.argv[1], "rb") as model:
    response = requests.post(
        f"{api}/ai-models/upload/single",
        files={"file": model},
        data={
            "user_id": "user123",
            "model_id": "test-model-1",
            "name": "Test Model",
            "version": "v1",
            "framework": "pytorch",
            "model_type": "classification",
            "training_dataset": "dataset123",  # without it no XAI trigger can follow
            "training_accuracy": 0.95,
        },
        timeout=60,
    )
response.raise_for_status()
print(response.json()["files"][0]["file_hash"])
