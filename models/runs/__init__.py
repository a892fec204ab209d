"""Run folders: what a training leaves behind, and how it goes on after a kill."""
