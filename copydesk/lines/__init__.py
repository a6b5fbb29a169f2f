"""What each line is: features, profiles, repetition, model, decision."""
