"""The calibration lab: blind labels from people, what they prove, and what may therefore pass by itself."""
