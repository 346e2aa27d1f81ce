"""The smallest spec, recipe and study that have every part."""

SPEC = "streams: 2\ncolumns: 1+1\nbase_channels: 2\nclasses: 3\n"
RECIPE = """\
epochs: 1
batch: 500
learning_rate: 0.01
crop: {smallest: 8, largest: 8, size: 8}
"""
STUDY = """\
data: shapes
spec: {classes: 3}
space:
  streams: [2, 3]
  columns: [1+1, 2+2]
  base_channels: [2, 4]
budget: {parameters: 3500}
recipe: quick.yaml
trials: 2
"""
