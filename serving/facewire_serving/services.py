"""PredictionService and ModelService as TensorFlow Serving answers them, its error texts included.

Codes and texts are meant to be TensorFlow Serving's own. Those of Predict, GetModelStatus and the
signature checks were noted from its sources; the others were not held against them, nor any against
its binary.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import tensorflow as tf
from grpc import StatusCode
from tensorflow.core.framework.types_pb2 import DataType
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from facewire_serving.engines import InvalidInputError
from facewire_serving.versions import Loaded, Versions

__all__ = ["ModelService", "PredictionService"]

_DEFAULT_SIGNATURE: Final = "serving_default"
_MOST_CHARACTERS: Final = 1024


class _Failure(Exception):
    def __init__(self, code: StatusCode, text: str) -> None:
        super().__init__(text)
        self.code = code


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict and GetModelMetadata."""

    def __init__(self, models: Mapping[str, Versions], *, as_tensor_content: bool) -> None:
        """Serves models.

        Args:
            models: by name.
            as_tensor_content: answer bytes; else `float_val`, which is TensorFlow Serving's default.
        """
        self._models = models
        self._as_tensor_content = as_tensor_content

    def Predict(self, request: Any, context: Any) -> Any:
        """Runs a model once."""
        try:
            return self._predict(request)
        except _Failure as failure:
            return _abort(context, failure)

    def GetModelMetadata(self, request: Any, context: Any) -> Any:
        """Tells the signatures of a model."""
        try:
            return self._metadata(request)
        except _Failure as failure:
            return _abort(context, failure)

    def _predict(self, request: Any) -> Any:
        loaded = _servable(self._models, request)
        name = request.model_spec.signature_name or _DEFAULT_SIGNATURE
        signature = loaded.signatures.get(name)
        if signature is None:
            raise _Failure(
                StatusCode.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.'
            )
        arrays = _inputs(signature.inputs, request.inputs)
        outputs = _outputs(signature, request.output_filter)
        _check_types(signature.inputs, request.inputs)
        try:
            results = loaded.run(name, arrays)
        except InvalidInputError as error:
            raise _Failure(StatusCode.INVALID_ARGUMENT, str(error)) from error
        response = predict_pb2.PredictResponse()
        _answered_by(response.model_spec, request, loaded)
        response.model_spec.signature_name = name
        for output in outputs:
            self._write(results[output], response.outputs[output])
        return response

    def _metadata(self, request: Any) -> Any:
        if not request.HasField("model_spec"):
            raise _Failure(StatusCode.INVALID_ARGUMENT, "Missing ModelSpec")
        if not request.metadata_field:
            raise _Failure(
                StatusCode.INVALID_ARGUMENT,
                "GetModelMetadataRequest must specify at least one metadata_field",
            )
        for field in request.metadata_field:
            if field != "signature_def":
                raise _Failure(
                    StatusCode.INVALID_ARGUMENT, f"Metadata field {field} is not supported"
                )
        loaded = _servable(self._models, request)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        _answered_by(response.model_spec, request, loaded)
        signatures = get_model_metadata_pb2.SignatureDefMap(signature_def=loaded.signatures)
        response.metadata["signature_def"].Pack(signatures)
        return response

    def _write(self, array: Any, message: Any) -> None:
        message.dtype = tf.as_dtype(array.dtype).as_datatype_enum
        for size in array.shape:
            message.tensor_shape.dim.add(size=size)
        if self._as_tensor_content:
            message.tensor_content = array.tobytes()
        else:
            message.float_val.extend(array.ravel().tolist())


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus."""

    def __init__(self, models: Mapping[str, Versions]) -> None:
        self._models = models

    def GetModelStatus(self, request: Any, context: Any) -> Any:
        """Tells the state of every version of a model, or of one."""
        try:
            return self._status(request)
        except _Failure as failure:
            return _abort(context, failure)

    def _status(self, request: Any) -> Any:
        if not request.HasField("model_spec"):
            raise _Failure(StatusCode.INVALID_ARGUMENT, "Missing ModelSpec")
        name = request.model_spec.name
        states = self._models[name].states() if name in self._models else []
        if request.model_spec.HasField("version"):
            wanted = request.model_spec.version.value
            states = [state for state in states if state[0] == wanted]
            missing = f"Could not find version {wanted} of model {name}"
        else:
            missing = f"Could not find any versions of model {name}"
        if not states:
            raise _Failure(StatusCode.NOT_FOUND, missing)
        response = get_model_status_pb2.GetModelStatusResponse()
        for version, state, error in states:
            one = response.model_version_status.add(version=version, state=state)
            one.status.error_code = StatusCode.UNKNOWN.value[0] if error else 0
            one.status.error_message = error
        return response


def _servable(models: Mapping[str, Versions], request: Any) -> Loaded:
    if not request.HasField("model_spec"):
        raise _Failure(StatusCode.INVALID_ARGUMENT, "Missing ModelSpec")
    spec = request.model_spec
    if spec.version_label:
        raise _Failure(
            StatusCode.INVALID_ARGUMENT,
            f"Unrecognized servable version label: {spec.version_label}",
        )
    version = spec.version.value if spec.HasField("version") else None
    loaded = models[spec.name].get(version) if spec.name in models else None
    if loaded is None:
        asked = f"Latest({spec.name})" if version is None else f"Specific({spec.name}, {version})"
        raise _Failure(StatusCode.NOT_FOUND, f"Servable not found for request: {asked}")
    return loaded


def _answered_by(spec: Any, request: Any, loaded: Loaded) -> None:
    spec.name = request.model_spec.name
    spec.version.value = loaded.version


def _outputs(signature: Any, wanted: Any) -> list[str]:
    for name in wanted:
        if name not in signature.outputs:
            raise _Failure(
                StatusCode.INVALID_ARGUMENT,
                f"output tensor alias not found in signature: {name} Outputs expected to be in "
                f"the set {_set(signature.outputs)}.",
            )
    return list(wanted) or list(signature.outputs)


def _inputs(expected: Any, sent: Any) -> dict[str, Any]:
    if len(sent) != len(expected):
        raise _Failure(
            StatusCode.INVALID_ARGUMENT,
            f"input size does not match signature: {len(sent)}!={len(expected)} "
            f"len({_set(sent)}) != len({_set(expected)}). "
            f"Sent extra: {_set(sent.keys() - expected.keys())}. "
            f"Missing but required: {_set(expected.keys() - sent.keys())}.",
        )
    arrays = {}
    for name in sorted(sent):
        if name not in expected:
            raise _Failure(
                StatusCode.INVALID_ARGUMENT,
                f"input tensor alias not found in signature: {name}. Inputs expected to be in "
                f"the set {_set(expected)}.",
            )
        try:
            arrays[name] = tf.make_ndarray(sent[name])
        except (TypeError, ValueError) as error:
            text = f"tensor parsing error: {name}"
            raise _Failure(StatusCode.INVALID_ARGUMENT, text) from error
    return arrays


def _check_types(expected: Any, sent: Any) -> None:
    for index, name in enumerate(sorted(sent)):
        wanted, found = (
            DataType.Name(tensor.dtype).removeprefix("DT_").lower()
            for tensor in (expected[name], sent[name])
        )
        if wanted != found:
            raise _Failure(
                StatusCode.INVALID_ARGUMENT,
                f"Expects arg[{index}] to be {wanted} but {found} is provided",
            )


def _set(names: Iterable[str]) -> str:
    return "{" + ",".join(sorted(names)) + "}"


def _abort(context: Any, failure: _Failure) -> None:
    text = str(failure)
    if len(text) > _MOST_CHARACTERS:
        text = text[:_MOST_CHARACTERS] + "...TRUNCATED"
    context.abort(failure.code, text)
