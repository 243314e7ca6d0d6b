"""What runs behind PredictionService: the model weights, and the SavedModels built from them."""
