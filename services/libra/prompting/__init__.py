"""What every room needs that speaks with a model: text put before it that it must not obey, and its reply read.

Pure, and without a protobuf.
"""
