"""The networks, as torch modules that read vocabulary rows and give logits."""
