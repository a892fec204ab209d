"""Whether drift is found when there is some, and not when there is none."""
