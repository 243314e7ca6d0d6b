"""Builds the SavedModels that run behind PredictionService from published weights."""
