"""The six models that stand in `triton_repo/`: their data, plan and making."""
