"""From event to tensors: PII masking, tokens, images, auxiliary values. Shared by serving and training."""
