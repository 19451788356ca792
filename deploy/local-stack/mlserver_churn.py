"""The model behind MLServer."""

import asyncio

from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse
import numpy

import churn


class Churn(MLModel):
    async def load(self):
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        await asyncio.sleep(churn.delay())
        customers = NumpyCodec.decode_input(payload.inputs[0])
        probabilities = numpy.array([churn.predict(row) for row in customers])
        outputs = [NumpyCodec.encode_output("probability", probabilities)]
        return InferenceResponse(model_name=self.name, model_version=self.version, outputs=outputs)
