"""Several modalities combined."""
