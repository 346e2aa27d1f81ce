"""How long a network takes, predicted by a table of its layers' times. Measures nothing itself."""

from gridgen.latency.layer_times import LayerTimes as LayerTimes
