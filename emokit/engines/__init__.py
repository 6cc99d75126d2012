"""Engines: what computes the logits of a trained model, torch or ONNX Runtime, behind one protocol."""
