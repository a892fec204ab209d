"""The Triton backend `onnxruntime` in Python, for the embedded server; the official container has its own in C++."""
