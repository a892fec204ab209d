"""What moderators decided on the alerts that were raised, and what it says about rules and models (pure)."""
