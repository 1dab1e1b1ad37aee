"""What predictions are worth: metrics, patient-clustered intervals, calibration, comparison, subgroups."""
