"""The form of stored documents: protos, times of creation and ids of trials."""
