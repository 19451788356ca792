"""The model behind FastAPI, with the instrumentation that most such services use."""

import asyncio

from fastapi import FastAPI
from prometheus_fastapi_instrumentator import Instrumentator
from pydantic import BaseModel

import churn

app = FastAPI(title="churn")
Instrumentator().instrument(app).expose(app)


class Customer(BaseModel):
    features: tuple[float, float, float]


@app.post("/predict")
async def predict(customer: Customer):
    await asyncio.sleep(churn.delay())
    return {"probability": churn.predict(customer.features)}
