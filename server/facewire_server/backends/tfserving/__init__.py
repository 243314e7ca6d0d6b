"""Models behind TensorFlow Serving's `PredictionService`, in other processes."""

from facewire_server.backends.tfserving.addresses import target
from facewire_server.backends.tfserving.served import TfServingModel

__all__ = ["TfServingModel", "target"]
