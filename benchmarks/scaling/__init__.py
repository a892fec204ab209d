"""What an event costs as a deployment grows: domains, rules, conversations, workers, pictures, longer messages."""
