"""The parts of PredictionService and ModelService that facewire uses.

The codes of errors are TensorFlow Serving's, which the server acts on, and so are the texts about names: of models, versions,
signatures, inputs and outputs (servables/tensorflow/predict_util.cc and core/ of its sources). Other texts are shorter than its.
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

_LONGEST_TEXT: Final = 1024
"""Characters of an error's text, TensorFlow Serving's: util/status_util.cc."""


class _Failure(Exception):
    """Ends a call with a code and a text."""

    def __init__(self, code: StatusCode, text: str) -> None:
        super().__init__(text)
        self.code = code


def _invalid(text: str) -> _Failure:
    return _Failure(StatusCode.INVALID_ARGUMENT, text)


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict and GetModelMetadata."""

    def __init__(self, models: Mapping[str, Versions], *, as_tensor_content: bool) -> None:
        """Serves models.

        Args:
            models: by name.
            as_tensor_content: return bytes; else `float_val`, which is TensorFlow Serving's default.
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
        """Returns the signatures of a model."""
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
        try:
            results = loaded.run(name, arrays)
        except InvalidInputError as error:
            raise _invalid(str(error)) from error
        response = predict_pb2.PredictResponse()
        _set_model(response.model_spec, request, loaded)
        response.model_spec.signature_name = name
        for output in outputs:
            self._write(results[output], response.outputs[output])
        return response

    def _metadata(self, request: Any) -> Any:
        if list(request.metadata_field) != ["signature_def"]:
            raise _invalid("metadata_field must be signature_def")
        loaded = _servable(self._models, request)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        _set_model(response.model_spec, request, loaded)
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
        """Returns the state of every version of a model, or of one."""
        try:
            return self._status(request)
        except _Failure as failure:
            return _abort(context, failure)

    def _status(self, request: Any) -> Any:
        name, wanted = _asked(request)
        states = self._models[name].states() if name in self._models else []
        states = [state for state in states if wanted in (None, state[0])]
        if not states:
            raise _not_found(name, wanted)
        response = get_model_status_pb2.GetModelStatusResponse()
        for version, state, error in states:
            one = response.model_version_status.add(version=version, state=state)
            one.status.error_code = StatusCode.UNKNOWN.value[0] if error else 0
            one.status.error_message = error
        return response


def _asked(request: Any) -> tuple[str, int | None]:
    """Name and version that a request asks for; None = the newest."""
    if not request.HasField("model_spec"):
        raise _invalid("Missing ModelSpec")
    spec = request.model_spec
    if spec.version_label:
        raise _invalid("version labels are not served here")
    return spec.name, spec.version.value if spec.HasField("version") else None


def _servable(models: Mapping[str, Versions], request: Any) -> Loaded:
    name, version = _asked(request)
    loaded = models[name].get(version) if name in models else None
    if loaded is None:
        raise _not_found(name, version)
    return loaded


def _not_found(name: str, version: int | None) -> _Failure:
    which = f"Latest({name})" if version is None else f"Specific({name}, {version})"
    return _Failure(StatusCode.NOT_FOUND, f"Servable not found for request: {which}")


def _set_model(spec: Any, request: Any, loaded: Loaded) -> None:
    spec.name = request.model_spec.name
    spec.version.value = loaded.version


def _outputs(signature: Any, wanted: Any) -> list[str]:
    for name in wanted:
        if name not in signature.outputs:
            raise _invalid(
                f"output tensor alias not found in signature: {name} Outputs expected to be in the "
                f"set {_set(signature.outputs)}."
            )
    return list(wanted) or list(signature.outputs)


def _inputs(expected: Any, sent: Any) -> dict[str, Any]:
    extra, missing = sent.keys() - expected.keys(), expected.keys() - sent.keys()
    if len(sent) != len(expected):
        raise _invalid(
            f"input size does not match signature: {len(sent)}!={len(expected)} len({_set(sent)}) != "
            f"len({_set(expected)}). Sent extra: {_set(extra)}. Missing but required: {_set(missing)}."
        )
    if extra:
        raise _invalid(
            f"input tensor alias not found in signature: {min(extra)}. Inputs expected to be in the "
            f"set {_set(expected)}."
        )
    arrays = {}
    for name, tensor in sent.items():
        if tensor.dtype != expected[name].dtype:
            wanted, found = (DataType.Name(one.dtype) for one in (expected[name], tensor))
            raise _invalid(f"{name} is {wanted}, not {found}")
        try:
            arrays[name] = tf.make_ndarray(tensor)
        except (TypeError, ValueError) as error:
            raise _invalid(f"{name} is not a tensor: {error}") from error
    return arrays


def _set(names: Iterable[str]) -> str:
    return "{" + ",".join(sorted(names)) + "}"


def _abort(context: Any, failure: _Failure) -> None:
    text = str(failure)
    if len(text) > _LONGEST_TEXT:
        text = text[:_LONGEST_TEXT] + "...TRUNCATED"
    context.abort(failure.code, text)
