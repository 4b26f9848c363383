"""What people say about answers and judges: labels, annotations and calibrations."""
