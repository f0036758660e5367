"""The plain way to write the warehouse's upload: FastAPI, an MD5, a file on disk. It keeps no
database, sends no event and syncs nothing, which makes it a fast peer."""

import hashlib
import os
from pathlib import Path

from fastapi import FastAPI, File, Form, UploadFile

STORE = Path(os.environ["STORE"])
CHUNK = 1 << 20

app = FastAPI()


@app.post("/ai-models/upload/single/{user_id}")
async def upload(
    user_id: str,
    file: UploadFile = File(...),
    model_id: str = Form(...),
    name: str = Form(...),
    framework: str = Form(...),
    model_type: str = Form(...),
    training_dataset: str | None = Form(None),
):
    digest = hashlib.md5()
    size = 0
    path = STORE / f"{user_id}-{model_id}"
    with path.open("wb") as stored:
        while chunk := await file.read(CHUNK):
            digest.update(chunk)
            stored.write(chunk)
            size += len(chunk)
    return {
        "model_id": model_id,
        "user_id": user_id,
        "name": name,
        "version": "v1",
        "framework": framework,
        "model_type": model_type,
        "training_dataset": training_dataset,
        "files": [
            {
                "filename": file.filename,
                "file_path": f"models/{user_id}/{model_id}/v1/{file.filename}",
                "file_size": size,
                "file_hash": digest.hexdigest(),
            }
        ],
    }
