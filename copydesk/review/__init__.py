"""What people look at: explain and progress in the terminal."""
