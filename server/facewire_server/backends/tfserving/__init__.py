"""Models behind TensorFlow Serving's `PredictionService`, in other processes."""

from facewire_server.backends.tfserving.addresses import hosts
from facewire_server.backends.tfserving.served import TfServingModel

__all__ = ["TfServingModel", "hosts"]
