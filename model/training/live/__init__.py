"""Small trainings that end within seconds: two models side by side on the same batches, measured as they learn."""
