"""How stored documents are written: protos, times of creation and ids of trials."""
