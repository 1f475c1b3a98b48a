"""What stands between the service and a model that may be down, slow or wrong."""
